"""What a step does to the weights: losses, gradients, clipping, AdamW, and the running mean of the weights."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from sparse_encoder.adamw import AdamW, clip
from sparse_encoder.best import take_up, turn_back
from sparse_encoder.gradients import Backward, gradients_of
from sparse_encoder.groups import Batch
from sparse_encoder.loss_scale import FIRST, LEAST, LossScale
from sparse_encoder.material import Material
from sparse_encoder.network import Network, named_parameters
from sparse_encoder.objective import Parts, loss_of, loss_weights, plan_step
from sparse_encoder.processes import Processes
from sparse_encoder.recipe import Recipe
from sparse_encoder.schedule import learning_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A step in numbers, means over its batches."""

    loss: float
    by_name: dict[str, float]
    """Each loss before its weight."""
    active_terms: float
    gradient_norm: float
    """Before clipping; not finite where a gradient is no number."""

    @property
    def is_finite(self) -> bool:
        """Whether loss and gradients are numbers."""
        return math.isfinite(self.loss) and math.isfinite(self.gradient_norm)


class Updates:
    """The trained tensors of a run with their optimizer; `step` moves them, `tensors` is all a checkpoint needs."""

    def __init__(self, *, recipe: Recipe, material: Material, network: Network, processes: Processes) -> None:
        self.recipe = recipe
        self.material = material
        self.network = network
        self.processes = processes
        self.names = [name for name, _ in named_parameters(network)]
        self.parameters = [p for _, p in named_parameters(network)]
        self.optimizer = AdamW(self.parameters, weight_decay=recipe.weight_decay)
        self.start = [p.detach().clone() for p in self.parameters] if recipe.keep_start else []
        self.averages = [p.detach().clone() for p in self.parameters] if recipe.ema else []
        self.scale = LossScale(value=FIRST) if network.products == torch.float16 else LossScale()

    def step(self, drawn: Sequence[Batch], *, number: int, pressure: float) -> Measured:
        """Update `number`, from 0, by the mean gradient of the drawn batches; none is made where it is no number.

        pressure: what the weights of the sparsity losses are multiplied with.
        """
        found = [
            self._gradients(batch, number=number, draw=number * self.recipe.accumulate + i, pressure=pressure)
            for i, batch in enumerate(drawn)
        ]
        gradients = _mean([g for _, g in found])
        if self.scale.value != 1.0:
            torch._foreach_div_(gradients, self.scale.value)
        norm = clip(gradients, largest=self.recipe.clip)
        measured = _measured([p for p, _ in found], norm)
        if measured.is_finite:
            self.optimizer.step(gradients, rate=learning_rate(self.recipe, number), number=number + 1)
            self._average()
        if self.network.products == torch.float16:
            self.scale = self.scale.after(overflowed=not math.isfinite(norm))
        return measured

    def _gradients(self, batch: Batch, *, number: int, draw: int, pressure: float) -> tuple[Parts, list[Tensor]]:
        recipe = self.recipe
        seed = recipe.seed * 1_000_003 + draw
        torch.manual_seed(seed)
        plan = plan_step(
            self.network, batch, self.material.train, recipe=recipe, terms=self.material.terms, number=draw
        )
        weights = loss_weights(recipe, number, pressure=pressure)
        how = Backward(leak=recipe.leak, piece=recipe.encode_at_once, processes=self.processes, seed=seed)
        return gradients_of(
            lambda vectors: loss_of(vectors, plan, recipe.losses, weights),
            plan,
            self.network,
            self.parameters,
            how=how,
            scale=self.scale.value,
        )

    def _average(self) -> None:
        if self.averages:
            with torch.no_grad():
                torch._foreach_lerp_(self.averages, [p.detach() for p in self.parameters], 1 - self.recipe.ema)

    @contextmanager
    def saved_weights(self) -> Iterator[None]:
        """While it is open the network has the weights that would be saved now."""
        kept = [p.detach().clone() for p in self.parameters]
        self.take_up_saved()
        try:
            yield
        finally:
            take_up(self.parameters, kept)

    def take_up_saved(self) -> None:
        """Gives the network the weights to save: of the running mean, part of the start kept, and counts trusted."""
        if self.averages:
            take_up(self.parameters, self.averages)
        if self.start:
            turn_back(self.parameters, self.start, share=self.recipe.keep_start)
        if self.network.lexical is not None:
            self.network.lexical.trust(self.recipe.trust_counts)

    @property
    def is_calibrating(self) -> bool:
        """Whether a gradient that is no number comes of the loss scale, which has been halved, and not of the loss."""
        return self.network.products == torch.float16 and self.scale.value >= LEAST

    def numbers(self) -> dict[str, float]:
        """What a checkpoint keeps beside the tensors."""
        return {"scale.value": self.scale.value, "scale.calm": self.scale.calm}

    def take_up_numbers(self, numbers: Mapping[str, float]) -> None:
        """Goes on with what a checkpoint kept."""
        self.scale = LossScale(value=numbers["scale.value"], calm=int(numbers["scale.calm"]))

    def tensors(self) -> Mapping[str, Tensor]:
        """Weights, moments and running means by name; writing into them is how a checkpoint is taken up."""
        lists = {"weight": self.parameters, "mean": self.optimizer.means, "square": self.optimizer.squares}
        if self.averages:
            lists["average"] = self.averages
        return {f"{k}/{n}": t for k, tensors in lists.items() for n, t in zip(self.names, tensors, strict=True)}


def _mean(gradients: Sequence[list[Tensor]]) -> list[Tensor]:
    first, *others = gradients
    for other in others:
        torch._foreach_add_(first, other)
    if others:
        torch._foreach_div_(first, len(gradients))
    return first


def _measured(parts: Sequence[Parts], norm: float) -> Measured:
    n = len(parts)
    return Measured(
        loss=sum(float(p.total.detach()) for p in parts) / n,
        by_name={name: sum(p.by_name[name] for p in parts) / n for name in parts[0].by_name},
        active_terms=sum(p.active_terms for p in parts) / n,
        gradient_norm=norm,
    )
