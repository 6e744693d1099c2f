"""AdamW on a list of tensors, forty lines of it.

Why not torch's own: its first step imports torch's compiler, which takes longer than a small training run's first
hundred steps; and here the state is two plain lists that go into a checkpoint as they are.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

BETAS = (0.9, 0.98)
EPSILON = 1e-8


class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101); updates `parameters` in place.

    Matrices decay, vectors (biases and norms) do not.
    """

    def __init__(self, parameters: Sequence[Tensor], *, weight_decay: float) -> None:
        self.parameters = list(parameters)
        self.decayed = [p for p in self.parameters if p.dim() > 1]
        self.weight_decay = weight_decay
        self.means = [torch.zeros_like(p) for p in self.parameters]
        self.squares = [torch.zeros_like(p) for p in self.parameters]

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], *, rate: float, number: int) -> None:
        """Moves the parameters against `gradients`; number: of this step, from 1."""
        first, second = BETAS
        torch._foreach_lerp_(self.means, list(gradients), 1 - first)
        torch._foreach_mul_(self.squares, second)
        torch._foreach_addcmul_(self.squares, list(gradients), list(gradients), value=1 - second)
        size = rate / (1 - first**number)
        divisors = torch._foreach_sqrt(self.squares)
        torch._foreach_div_(divisors, math.sqrt(1 - second**number))
        torch._foreach_add_(divisors, EPSILON)
        if self.weight_decay:
            torch._foreach_mul_(self.decayed, 1 - rate * self.weight_decay)
        torch._foreach_addcdiv_(self.parameters, self.means, divisors, value=-size)


@torch.no_grad()
def clip(gradients: Sequence[Tensor], *, largest: float) -> float:
    """Scales `gradients` in place so that their joint norm is at most `largest`; returns the norm before."""
    norm = float(torch.linalg.vector_norm(torch.stack(torch._foreach_norm(list(gradients)))))
    if norm > largest:
        torch._foreach_mul_(list(gradients), largest / norm)
    return norm
