"""The training loop: recipe in, model folder out, and after a kill it goes on to the same bytes.

A loop of our own rather than sentence-transformers' trainer: an exact resume needs every step to be a function of the
seed and its number, the head is fed only the columns that a step reads, and there is nothing heavy to import.
"""

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass, fields
from itertools import islice
from pathlib import Path

import msgspec
import torch

from sparse_encoder._files import InputError
from sparse_encoder.best import Best, take_up
from sparse_encoder.building import build_network, finished_model
from sparse_encoder.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from sparse_encoder.devices import choose_device, choose_precision
from sparse_encoder.failed_batch import LOWER, no_numbers, reason, write_failed_batch
from sparse_encoder.groups import Batch, Examples, batches
from sparse_encoder.guard import Guard
from sparse_encoder.material import inputs, read_material
from sparse_encoder.model_folder import SparseModel
from sparse_encoder.monitors import Monitor
from sparse_encoder.network import backbones, set_training
from sparse_encoder.processes import joined_processes
from sparse_encoder.ranking import Ranking, rank
from sparse_encoder.recipe import Recipe
from sparse_encoder.recomputing import recomputed_layers
from sparse_encoder.schedule import learning_rate
from sparse_encoder.updates import Measured, Updates

__all__ = ["Run", "Trained", "inputs", "read_material", "to_stderr", "train"]

REPORT_EVERY = 20
"""Steps between entries of the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The model and its history: one entry each REPORT_EVERY steps, evaluations among them."""

    model: SparseModel
    history: list[dict[str, float]]


def train(recipe: Recipe, *, work: Path, log: Callable[[str], None], monitors: Sequence[Monitor] = ()) -> Trained:
    """Trains by a located recipe; partial work goes into `work`, and a second call goes on from there.

    Started by torchrun or accelerate, every process calls this and gets the same; the first one alone writes and logs.
    """
    device = choose_device(recipe.device)
    products = choose_precision(recipe.precision, device)
    material = read_material(recipe)
    with joined_processes(device) as processes:
        network = build_network(recipe, material, device, products)
        updates = Updates(recipe=recipe, material=material, network=network, processes=processes)
        if processes.rank != 0:
            log, monitors = _say_nothing, ()
        run = Run(updates, work=work, log=log, monitors=monitors)
        run.resume()
        with ExitStack() as stack:
            for backbone in backbones(network) if recipe.recompute_layers else []:
                stack.enter_context(recomputed_layers(backbone))
            run.go()
        processes.wait()
    model = finished_model(network, recipe, material)
    return Trained(model=model, history=run.history)


class Run:
    """A training run in progress."""

    def __init__(
        self, updates: Updates, *, work: Path, log: Callable[[str], None], monitors: Sequence[Monitor]
    ) -> None:
        self.updates = updates
        self.recipe = updates.recipe
        self.material = updates.material
        self.work = work
        self.log = log
        self.monitors = monitors
        self.done = 0
        self.history: list[dict[str, float]] = []
        self.guard = Guard()
        self.best = Best()

    def go(self) -> None:
        """Runs the remaining steps, and leaves the weights that are to be saved in the network."""
        recipe = self.recipe
        began, first = time.monotonic(), self.done
        for drawn in self._remaining():
            measured = self.step(drawn)
            if self.done % REPORT_EVERY == 0 or self.done == recipe.steps:
                self.report(measured, pace_s=(time.monotonic() - began) / (self.done - first))
            if recipe.evaluate_every and self.done % recipe.evaluate_every == 0 and self.done < recipe.steps:
                self.evaluate()
                if recipe.patience and self.best.n_worse >= recipe.patience:
                    self.log(
                        f"stops: {self.best.n_worse} evaluations were no better than that of step {self.best.step}"
                    )
                    break
            if self.done % recipe.checkpoint_every == 0 and self.done < recipe.steps:
                self.keep()
        else:
            self.evaluate()
        if recipe.keep == "best" and self.best.n_worse:
            self.log(f"keeps the weights of step {self.best.step}, with nDCG@10 {self.best.ndcg_at_10:.3f}")
            take_up(self.updates.parameters, self.best.weights)
        else:
            self.updates.take_up_saved()
        self._refuse_ruin()

    def _refuse_ruin(self) -> None:
        """Whether the last update left a model: no further step's loss says so."""
        network = self.updates.network
        ruined = no_numbers(dict(zip(self.updates.names, self.updates.parameters, strict=True)))
        if not ruined:
            set_training(network, on=False)
            with torch.no_grad():
                told = network.weights(self.material.train.documents[:2], None)
            set_training(network, on=True)
            ruined = no_numbers({"the vectors of the first documents": told})
        if ruined:
            raise InputError(f"after step {self.done} there are values that are no numbers in {ruined[0]}; {LOWER}")

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
        """One update; raises InputError where the loss is no number or the terms are out of bounds for long."""
        measured = self.updates.step(drawn, number=self.done, pressure=self.guard.pressure)
        is_overflow = self.updates.is_calibrating and math.isfinite(measured.loss)
        if not measured.is_finite and not is_overflow:
            raise InputError(self._failure(drawn, measured))
        vocab_size = len(self.material.vocabulary.tokens)
        self.guard = self.guard.after(
            measured.active_terms, recipe=self.recipe, number=self.done, vocab_size=vocab_size
        )
        self.done += 1
        return measured

    def _failure(self, drawn: Sequence[Batch], measured: Measured) -> str:
        """Why the run stops, and where its batch was saved."""
        path = self.work / f"failed-step-{self.done + 1}.json"
        if self.updates.processes.rank == 0:
            write_failed_batch(path, drawn, measured, self.updates, step=self.done + 1)
        norm = measured.gradient_norm
        return reason(self.done + 1, measured.by_name, loss=measured.loss, gradient_norm=norm, path=path)

    def report(self, measured: Measured, *, pace_s: float) -> None:
        """Enters the step just done into the history."""
        rate = learning_rate(self.recipe, self.done - 1)
        rounded = {name: round(value, 6) for name, value in measured.by_name.items()}
        loss, active = round(measured.loss, 6), round(measured.active_terms, 2)
        steered = {} if self.guard.pressure == 1.0 else {"pressure": round(self.guard.pressure, 6)}
        self._enter({"step": self.done, "loss": loss, **rounded, "active_terms": active, "rate": rate, **steered})
        weight = f" FLOPS weight {self.recipe.losses.flops.weight * self.guard.pressure:.2g}" if steered else ""
        self.log(
            f"step {self.done}/{self.recipe.steps} loss {measured.loss:.4f} "
            f"terms {measured.active_terms:.0f}{weight} {pace_s:.2f} s a step"
        )

    def _enter(self, entry: dict[str, float]) -> None:
        self.history.append(entry)
        for monitor in self.monitors:
            monitor.record(entry)

    def evaluate(self) -> None:
        """Ranks the validation groups, if there are any, with the weights that would be saved now."""
        if self.material.validation is None:
            return
        with self.updates.saved_weights():
            found = self._ranked(self.material.validation)
            if self.recipe.evaluate_every and self.recipe.keep == "best":
                parameters = self.updates.parameters
                self.best = self.best.after(found.ndcg_at_10, step=self.done, parameters=parameters)
        if not all(map(math.isfinite, astuple(found))):
            raise InputError(f"the weights after step {self.done} rank as {found}; {LOWER}")
        numbers = {f"val_{k}": round(v, 6) for k, v in msgspec.to_builtins(found).items()}
        self._enter({"step": self.done, **numbers})
        self.log(f"step {self.done} " + " ".join(f"{k} {v:.3f}" for k, v in numbers.items()))

    def _ranked(self, data: Examples) -> Ranking:
        """By the first process, which the others believe: what it decides must be the same for all."""
        network, processes = self.updates.network, self.updates.processes
        numbers = [0.0] * len(fields(Ranking))
        if processes.rank == 0:
            set_training(network, on=False)
            limit = self.recipe.model.max_active_terms
            numbers = list(astuple(rank(network, data, max_active_terms=limit)))
            set_training(network, on=True)
        return Ranking.of(processes.as_first_says(numbers, network.idf.device))

    def keep(self) -> None:
        """Writes the state after the steps done, by the first process alone."""
        if self.updates.processes.rank == 0:
            best = dict(zip((f"best/{n}" for n in self.updates.names), self.best.weights, strict=False))
            guard = {f"guard.{name}": value for name, value in msgspec.to_builtins(self.guard).items()}
            checkpoint = Checkpoint(
                step=self.done,
                identity=self.material.identity,
                tensors={**self.updates.tensors(), **best},
                history=self.history,
                numbers={**guard, **self.best.numbers(), **self.updates.numbers()},
            )
            write_checkpoint(checkpoint, self.work)

    def resume(self) -> None:
        """Takes up the newest checkpoint's state, where there is one."""
        checkpoint = read_checkpoint(self.work, self.material.identity)
        if checkpoint is None:
            return
        tensors, numbers = checkpoint.tensors, checkpoint.numbers
        mine = self.updates.tensors()
        take_up(list(mine.values()), [tensors[name] for name in mine])
        self.updates.take_up_numbers(numbers)
        device = self.updates.network.idf.device
        best = [tensors[f"best/{n}"].to(device) for n in self.updates.names if f"best/{n}" in tensors]
        self.best = Best.of(numbers, best)
        guard = {f.name: numbers[f"guard.{f.name}"] for f in fields(Guard)}
        self.guard = msgspec.convert(guard, Guard, strict=False)
        self.done = checkpoint.step
        self.history = list(checkpoint.history)
        self.log(f"goes on after step {self.done} of {self.recipe.steps}")


def _say_nothing(line: str) -> None:
    """What other processes than the first one log."""


def to_stderr(line: str) -> None:
    """Progress for a person."""
    print(line, file=sys.stderr, flush=True)
