"""The training loop: recipe in, model folder out, and after a kill it goes on to the same bytes.

A loop of our own rather than sentence-transformers' trainer: an exact resume needs every step to be a function of the
seed and its number, the head is fed only the columns that a step reads, and there is nothing heavy to import.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec
import torch

from sparse_encoder._files import InputError
from sparse_encoder.backbone import Backbone
from sparse_encoder.bert import THRESHOLD, THRESHOLD_BESIDE_COUNTS, Bert, bert_config, start_lexical
from sparse_encoder.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from sparse_encoder.devices import choose_device, choose_precision
from sparse_encoder.groups import Batch, batches
from sparse_encoder.lexical import LexicalChannel
from sparse_encoder.material import Material, inputs, read_material
from sparse_encoder.model_folder import SparseModel, read_lexical
from sparse_encoder.network import Network
from sparse_encoder.processes import joined_processes
from sparse_encoder.ranking import rank
from sparse_encoder.recipe import Recipe
from sparse_encoder.recomputing import recomputed_layers
from sparse_encoder.schedule import learning_rate
from sparse_encoder.starting import channel_folder, read_start
from sparse_encoder.token_vectors import read_token_vectors
from sparse_encoder.updates import Measured, Updates
from sparse_encoder.vocabulary import Vocabulary

__all__ = ["Run", "Trained", "inputs", "read_material", "to_stderr", "train"]

REPORT_EVERY = 20
"""Steps between entries of the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The model and its history: one entry each REPORT_EVERY steps, evaluations among them."""

    model: SparseModel
    history: list[dict[str, float]]


def train(recipe: Recipe, *, work: Path, log: Callable[[str], None]) -> Trained:
    """Trains by a located recipe; partial work goes into `work`, and a second call goes on from there.

    Started by torchrun or accelerate, every process calls this and gets the same; the first one alone writes and logs.
    """
    device = choose_device(recipe.device)
    products = choose_precision(recipe.precision, device)
    material = read_material(recipe)
    with joined_processes(device) as processes:
        network = _network(recipe, material, device, products)
        updates = Updates(recipe=recipe, material=material, network=network, processes=processes)
        run = Run(updates, work=work, log=log if processes.rank == 0 else _say_nothing)
        run.resume()
        with recomputed_layers(network.bert) if recipe.recompute_layers else nullcontext():
            run.go()
        processes.wait()
    model = SparseModel(
        bert=network.bert.eval().cpu(),
        idf=network.idf.cpu(),
        vocabulary=material.vocabulary,
        max_tokens=recipe.model.max_tokens,
        max_active_terms=recipe.model.max_active_terms,
        lexical=network.lexical.cpu() if network.lexical is not None else None,
    )
    return Trained(model=model, history=run.history)


def _network(recipe: Recipe, material: Material, device: torch.device, products: torch.dtype) -> Network:
    bert = _backbone(recipe, material.vocabulary)
    lexical = _lexical(recipe, material).to(device) if recipe.model.lexical_channel else None
    idf = torch.tensor(material.idf, device=device)
    return Network(bert=bert.to(device).train(), idf=idf, lexical=lexical, products=products)


def _lexical(recipe: Recipe, material: Material) -> LexicalChannel:
    """The channel before the first step: that of the model to go on from, with this corpus' mean length, as BM25 has.

    From scratch, what is in most passages is shut out: particles and endings add nothing to a score, and would take
    the places of expansions among the heaviest terms.
    """
    documents = material.train.documents
    n_tokens = sum(map(len, documents)) / len(documents)
    trained = channel_folder(Path(recipe.model.start_from)) if recipe.model.start_from else None
    if trained is not None:
        channel = read_lexical(trained, len(material.idf))
        channel.mean_length.fill_(n_tokens)
        return channel
    channel = LexicalChannel(len(material.idf), mean_length=n_tokens, gate=recipe.model.lexical_gate)
    with torch.no_grad():
        channel.gate.mul_((torch.tensor(material.idf) - 1.0).clamp(0.0, 1.0))
    return channel


def _backbone(recipe: Recipe, vocabulary: Vocabulary) -> Backbone:
    if recipe.model.start_from:
        return read_start(Path(recipe.model.start_from), vocabulary, max_tokens=recipe.model.max_tokens)
    size = recipe.model.size
    bert = Bert(bert_config(size, vocab_size=len(vocabulary.tokens), max_tokens=recipe.model.max_tokens))
    threshold = THRESHOLD_BESIDE_COUNTS if recipe.model.lexical_channel else THRESHOLD
    start_lexical(
        bert,
        twins=vocabulary.twins(),
        silent=vocabulary.special_ids,
        threshold=threshold,
        seed=recipe.seed,
        vectors=_token_vectors(recipe, bert) if recipe.model.token_vectors else None,
    )
    return bert


def _token_vectors(recipe: Recipe, bert: Bert) -> torch.Tensor:
    path = Path(recipe.model.token_vectors)
    vectors = read_token_vectors(path)
    wanted = tuple(bert.output_weight().shape)
    if vectors.shape != wanted:
        raise InputError(f"{path}: holds {vectors.shape} numbers, the model {wanted}; make it with the same tokenizer")
    return torch.from_numpy(vectors)


class Run:
    """A training run in progress."""

    def __init__(self, updates: Updates, *, work: Path, log: Callable[[str], None]) -> None:
        self.updates = updates
        self.recipe = updates.recipe
        self.material = updates.material
        self.work = work
        self.log = log
        self.done = 0
        self.history: list[dict[str, float]] = []

    def go(self) -> None:
        """Runs the remaining steps."""
        recipe = self.recipe
        began, first = time.monotonic(), self.done
        for drawn in self._remaining():
            measured = self.step(drawn)
            if self.done % REPORT_EVERY == 0 or self.done == recipe.steps:
                self.history.append(self.entry(measured))
                pace = (time.monotonic() - began) / (self.done - first)
                self.log(
                    f"step {self.done}/{recipe.steps} loss {measured.loss:.4f} "
                    f"terms {measured.active_terms:.0f} {pace:.2f} s a step"
                )
            if recipe.evaluate_every and self.done % recipe.evaluate_every == 0 and self.done < recipe.steps:
                self.evaluate()
            if self.done % recipe.checkpoint_every == 0 and self.done < recipe.steps:
                self.keep()
        if self.updates.averages:
            with torch.no_grad():
                torch._foreach_copy_(self.updates.parameters, self.updates.averages)
        self.evaluate()

    def _remaining(self) -> Iterator[list[Batch]]:
        """Each remaining step's batches."""
        recipe = self.recipe
        drawn = batches(
            self.material.train,
            batch=recipe.batch,
            hard=recipe.hard_negatives,
            easy=recipe.easy_negatives,
            seed=recipe.seed,
            neighbours=recipe.neighbours,
        )
        drawn = islice(drawn, self.done * recipe.accumulate, None)
        for _ in range(self.done, recipe.steps):
            yield list(islice(drawn, recipe.accumulate))

    def step(self, drawn: Sequence[Batch]) -> Measured:
        """One update; raises InputError where the loss is no number."""
        measured = self.updates.step(drawn, number=self.done, pressure=1.0)
        if not measured.is_finite:
            raise InputError(
                f"the loss at step {self.done} is {measured.loss}: {measured.by_name}; lower 'learning_rate' or give "
                f"'precision: fp32'; its first query's tokens are {drawn[0].examples[0].query}"
            )
        self.done += 1
        return measured

    def entry(self, measured: Measured) -> dict[str, float]:
        """The history's line for the step just done."""
        rate = learning_rate(self.recipe, self.done - 1)
        rounded = {name: round(value, 6) for name, value in measured.by_name.items()}
        loss, active = round(measured.loss, 6), round(measured.active_terms, 2)
        return {"step": self.done, "loss": loss, **rounded, "active_terms": active, "rate": rate}

    def evaluate(self) -> None:
        """Ranks the validation groups, if there are any, into the history."""
        if self.material.validation is None:
            return
        network = self.updates.network
        network.bert.eval()
        found = {
            f"val_{k}": round(v, 6) for k, v in msgspec.to_builtins(rank(network, self.material.validation)).items()
        }
        network.bert.train()
        self.history.append({"step": self.done, **found})
        self.log(f"step {self.done} " + " ".join(f"{k} {v:.3f}" for k, v in found.items()))

    def keep(self) -> None:
        """Writes the state after the steps done, by the first process alone."""
        if self.updates.processes.rank == 0:
            tensors = dict(self.updates.tensors())
            identity = self.material.identity
            write_checkpoint(
                Checkpoint(step=self.done, identity=identity, tensors=tensors, history=self.history), self.work
            )

    def resume(self) -> None:
        """Takes up the newest checkpoint's state, where there is one."""
        checkpoint = read_checkpoint(self.work, self.material.identity)
        if checkpoint is None:
            return
        with torch.no_grad():
            for name, tensor in self.updates.tensors().items():
                tensor.copy_(checkpoint.tensors[name])
        self.done = checkpoint.step
        self.history = list(checkpoint.history)
        self.log(f"goes on after step {self.done} of {self.recipe.steps}")


def _say_nothing(line: str) -> None:
    """What other processes than the first one log."""


def to_stderr(line: str) -> None:
    """Progress for a person."""
    print(line, file=sys.stderr, flush=True)
