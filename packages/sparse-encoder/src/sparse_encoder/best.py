"""The best evaluation of a run, and when to stop waiting for a better one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The evaluation with the largest nDCG@10 so far, the first of equals, and the weights that it was of."""

    step: int = 0
    """0 before the first evaluation."""
    ndcg_at_10: float = -1.0
    n_worse: int = 0
    """Evaluations since then."""
    weights: Sequence[Tensor] = field(default=(), repr=False, compare=False)

    def after(self, ndcg_at_10: float, *, step: int, parameters: Sequence[Tensor]) -> "Best":
        """The best once an evaluation of `parameters` after `step` steps is known; copies them where it is better.

        >>> Best().after(0.5, step=10, parameters=[]).after(0.5, step=20, parameters=[])
        Best(step=10, ndcg_at_10=0.5, n_worse=1)
        """
        if ndcg_at_10 > self.ndcg_at_10:
            copies = [p.detach().clone() for p in parameters]
            return Best(step=step, ndcg_at_10=ndcg_at_10, weights=copies)
        return Best(step=self.step, ndcg_at_10=self.ndcg_at_10, n_worse=self.n_worse + 1, weights=self.weights)

    def numbers(self) -> dict[str, float]:
        """What a checkpoint keeps of it beside the weights."""
        return {"best.step": self.step, "best.ndcg_at_10": self.ndcg_at_10, "best.n_worse": self.n_worse}

    @classmethod
    def of(cls, numbers: Mapping[str, float], weights: Sequence[Tensor]) -> "Best":
        """What a checkpoint kept."""
        return cls(
            step=int(numbers["best.step"]),
            ndcg_at_10=numbers["best.ndcg_at_10"],
            n_worse=int(numbers["best.n_worse"]),
            weights=weights,
        )


@torch.no_grad()
def take_up(parameters: Sequence[Tensor], weights: Sequence[Tensor]) -> None:
    """Writes the weights into the parameters."""
    for parameter, weight in zip(parameters, weights, strict=True):
        parameter.copy_(weight)


@torch.no_grad()
def turn_back(parameters: Sequence[Tensor], start: Sequence[Tensor], *, share: float) -> None:
    """Moves the parameters by that share of the way back to where they started."""
    for parameter, weight in zip(parameters, start, strict=True):
        parameter.lerp_(weight, share)
