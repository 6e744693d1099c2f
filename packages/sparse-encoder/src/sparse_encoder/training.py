"""The training loop: recipe in, model folder out, and after a kill it goes on to the same bytes.

A loop of our own rather than sentence-transformers' trainer: an exact resume needs every step to be a function of the
seed and its number, the head is fed only the columns that a step reads, and there is nothing heavy to import.
"""

import hashlib
import math
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from sparse_encoder._files import InputError, sha256
from sparse_encoder.adamw import AdamW, clip
from sparse_encoder.backbone import Backbone
from sparse_encoder.bert import THRESHOLD, THRESHOLD_BESIDE_COUNTS, Bert, bert_config, start_lexical
from sparse_encoder.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from sparse_encoder.groups import Batch, Examples, batches, read_examples
from sparse_encoder.lexical import LexicalChannel
from sparse_encoder.model_folder import SparseModel, read_lexical
from sparse_encoder.network import Network, has_fast_bf16, named_parameters
from sparse_encoder.objective import Parts, step_loss
from sparse_encoder.ranking import rank
from sparse_encoder.recipe import Groups, Recipe
from sparse_encoder.starting import channel_folder, read_start
from sparse_encoder.term_pairs import Terms, joined, read_terms
from sparse_encoder.vocabulary import Vocabulary, read_idf, read_vocabulary

REPORT_EVERY = 20
"""Steps between entries of the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Everything a run reads, checked before its first step."""

    vocabulary: Vocabulary
    idf: list[float]
    train: Examples
    validation: Examples | None
    terms: Terms | None
    identity: str
    """Hash of the settings and of all files read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The model and its history: one entry each REPORT_EVERY steps, evaluations among them."""

    model: SparseModel
    history: list[dict[str, float]]


def inputs(recipe: Recipe) -> list[Path]:
    """The files that a recipe reads."""
    names = [g.path for g in recipe.train if isinstance(g, Groups)]
    names += [
        recipe.validation,
        recipe.term_pairs,
        recipe.parallel,
        recipe.model.idf,
        recipe.model.tokenizer,
        recipe.model.start_from,
    ]
    channel = channel_folder(Path(recipe.model.start_from)) if recipe.model.start_from else None
    return [*(Path(name) for name in names if name), *([channel] if channel else [])]


def read_material(recipe: Recipe) -> Material:
    """Reads and checks all inputs of a located recipe."""
    for key in ("tokenizer", "idf"):
        if not getattr(recipe.model, key):
            raise InputError(f"the recipe's 'model.{key}' is missing; wanted the path of {_MADE_BY[key]}")
    vocabulary = read_vocabulary(Path(recipe.model.tokenizer))
    idf = read_idf(Path(recipe.model.idf), vocabulary)
    files = [(Path(g.path), g.weight) for g in recipe.train if isinstance(g, Groups)]
    lengths = {
        "query_tokens": recipe.query_tokens,
        "document_tokens": min(recipe.document_tokens, recipe.model.max_tokens),
    }
    train = read_examples(files, vocabulary, **lengths)
    validation = read_examples([(Path(recipe.validation), 1.0)], vocabulary, **lengths) if recipe.validation else None
    terms = _read_alignment(recipe, vocabulary)
    if len(train.examples) < recipe.batch:
        raise InputError(f"{files[0][0]}: {len(train.examples)} groups are fewer than a batch of {recipe.batch}")
    identity = hashlib.sha256(msgspec.json.encode(_without_paths(recipe)))
    for path in inputs(recipe):
        identity.update(sha256(path).encode())
    return Material(
        vocabulary=vocabulary, idf=idf, train=train, validation=validation, terms=terms, identity=identity.hexdigest()
    )


def _read_alignment(recipe: Recipe, vocabulary: Vocabulary) -> Terms | None:
    lengths = {recipe.term_pairs: 16, recipe.parallel: recipe.document_tokens}
    found = [read_terms(Path(file), vocabulary, max_tokens=n) for file, n in lengths.items() if file]
    return joined(found) if found else None


_MADE_BY = {"tokenizer": "what `sparse-encoder tokenizer build` writes", "idf": "an idf.json of that tokenizer"}


def _without_paths(recipe: Recipe) -> Recipe:
    model = msgspec.structs.replace(recipe.model, tokenizer="", idf="", start_from="")
    return msgspec.structs.replace(recipe, model=model, train=[], validation="", term_pairs="", parallel="")


def train(recipe: Recipe, *, work: Path, log: Callable[[str], None]) -> Trained:
    """Trains by a located recipe; partial work goes into `work`, and a second call goes on from there."""
    material = read_material(recipe)
    network = _network(recipe, material)
    run = Run(recipe=recipe, material=material, network=network)
    started = read_checkpoint(work, material.identity)
    if started is not None:
        run.restore(started)
        log(f"goes on after step {started.step} of {recipe.steps}")
    run.go(work, log)
    model = SparseModel(
        bert=network.bert.eval(),
        idf=network.idf,
        vocabulary=material.vocabulary,
        max_tokens=recipe.model.max_tokens,
        max_active_terms=recipe.model.max_active_terms,
        lexical=network.lexical,
    )
    return Trained(model=model, history=run.history)


def _network(recipe: Recipe, material: Material) -> Network:
    half = recipe.precision == "bf16" or (recipe.precision == "auto" and has_fast_bf16("cpu"))
    bert = _backbone(recipe, material.vocabulary)
    lexical = _lexical(recipe, material) if recipe.model.lexical_channel else None
    return Network(bert=bert.train(), idf=torch.tensor(material.idf), lexical=lexical, half=half)


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
    twins, silent = vocabulary.twins(), vocabulary.special_ids
    start_lexical(bert, twins=twins, silent=silent, threshold=threshold, seed=recipe.seed)
    return bert


class Run:
    """A training run in progress: the state that a checkpoint keeps, and one method a step."""

    def __init__(self, *, recipe: Recipe, material: Material, network: Network) -> None:
        self.recipe = recipe
        self.material = material
        self.network = network
        self.names = [name for name, _ in named_parameters(network)]
        self.parameters = [p for _, p in named_parameters(network)]
        self.optimizer = AdamW(self.parameters, weight_decay=recipe.weight_decay)
        self.averages = [p.detach().clone() for p in self.parameters] if recipe.ema else []
        self.done = 0
        self.history: list[dict[str, float]] = []

    def go(self, work: Path, log: Callable[[str], None]) -> None:
        """Runs the remaining steps."""
        recipe = self.recipe
        drawn = batches(
            self.material.train,
            batch=recipe.batch,
            hard=recipe.hard_negatives,
            easy=recipe.easy_negatives,
            seed=recipe.seed,
        )
        began, first = time.monotonic(), self.done
        for batch in islice(drawn, self.done, recipe.steps):
            parts = self.step(batch)
            if self.done % REPORT_EVERY == 0 or self.done == recipe.steps:
                self.history.append(self.entry(parts))
                pace = (time.monotonic() - began) / (self.done - first)
                log(
                    f"step {self.done}/{recipe.steps} loss {float(parts.total.detach()):.4f} "
                    f"terms {parts.active_terms:.0f} {pace:.2f} s a step"
                )
            if recipe.evaluate_every and self.done % recipe.evaluate_every == 0 and self.done < recipe.steps:
                self.evaluate(log)
            if self.done % recipe.checkpoint_every == 0 and self.done < recipe.steps:
                write_checkpoint(self.checkpoint(), work)
        if self.averages:
            with torch.no_grad():
                torch._foreach_copy_(self.parameters, self.averages)
        self.evaluate(log)

    def step(self, batch: Batch) -> Parts:
        """One update; raises InputError where the loss is no number."""
        recipe = self.recipe
        torch.manual_seed(recipe.seed * 1_000_003 + self.done)
        parts = step_loss(
            self.network, batch, self.material.train, recipe=recipe, terms=self.material.terms, number=self.done
        )
        if not math.isfinite(float(parts.total.detach())):
            raise InputError(
                f"the loss at step {self.done} is {float(parts.total.detach())}: {parts.by_name}; lower "
                f"'learning_rate' or give 'precision: fp32'; its first query's tokens are {batch.examples[0].query}"
            )
        found = torch.autograd.grad(parts.total, self.parameters, allow_unused=True)
        gradients = [torch.zeros_like(p) if g is None else g for g, p in zip(found, self.parameters, strict=True)]
        clip(gradients, largest=recipe.clip)
        self.optimizer.step(gradients, rate=learning_rate(recipe, self.done), number=self.done + 1)
        if self.averages:
            with torch.no_grad():
                torch._foreach_lerp_(self.averages, [p.detach() for p in self.parameters], 1 - recipe.ema)
        self.done += 1
        return parts

    def entry(self, parts: Parts) -> dict[str, float]:
        """The history's line for the step just done."""
        rate = learning_rate(self.recipe, self.done - 1)
        rounded = {name: round(value, 6) for name, value in parts.by_name.items()}
        total = round(float(parts.total.detach()), 6)
        return {"step": self.done, "loss": total, **rounded, "active_terms": round(parts.active_terms, 2), "rate": rate}

    def evaluate(self, log: Callable[[str], None]) -> None:
        """Ranks the validation groups, if there are any, into the history."""
        if self.material.validation is None:
            return
        self.network.bert.eval()
        found = {
            f"val_{k}": round(v, 6)
            for k, v in msgspec.to_builtins(rank(self.network, self.material.validation)).items()
        }
        self.network.bert.train()
        self.history.append({"step": self.done, **found})
        log(f"step {self.done} " + " ".join(f"{k} {v:.3f}" for k, v in found.items()))

    def checkpoint(self) -> Checkpoint:
        """The state after the steps done."""
        return Checkpoint(
            step=self.done, identity=self.material.identity, tensors=dict(self._state()), history=self.history
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Takes up a checkpoint's state."""
        with torch.no_grad():
            for name, tensor in self._state().items():
                tensor.copy_(checkpoint.tensors[name])
        self.done = checkpoint.step
        self.history = list(checkpoint.history)

    def _state(self) -> Mapping[str, Tensor]:
        lists = {"weight": self.parameters, "mean": self.optimizer.means, "square": self.optimizer.squares}
        if self.averages:
            lists["average"] = self.averages
        return {f"{k}/{n}": t for k, tensors in lists.items() for n, t in zip(self.names, tensors, strict=True)}


def learning_rate(recipe: Recipe, number: int) -> float:
    """The rate at step `number`, from 0: up linearly over the warm-up, then down linearly to 0."""
    warmup = max(1, round(recipe.warmup * recipe.steps))
    if number < warmup:
        return recipe.learning_rate * (number + 1) / warmup
    return recipe.learning_rate * (recipe.steps - number) / max(1, recipe.steps - warmup)


def to_stderr(line: str) -> None:
    """Progress for a person."""
    print(line, file=sys.stderr, flush=True)
