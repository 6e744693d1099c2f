"""AdamW on a list of tensors, forty lines of it.

Why not torch's own: its first step imports torch's compiler, which takes longer than a small training run's first
hundred steps; and here the state is two plain lists that go into a checkpoint as they are.
"""

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
        self.matrices = [i for i, p in enumerate(self.parameters) if p.dim() > 1]
        self.vectors = [i for i, p in enumerate(self.parameters) if p.dim() <= 1]
        self.weight_decay = weight_decay
        self.means = [torch.zeros_like(p) for p in self.parameters]
        self.squares = [torch.zeros_like(p) for p in self.parameters]

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], *, rate: float, number: int) -> None:
        """Moves the parameters against `gradients`; number: of this step, from 1."""
        first, second = BETAS
        for chosen, decay in ((self.matrices, self.weight_decay), (self.vectors, 0.0)):
            if not chosen:
                continue
            steps = torch.tensor(float(number), device=self.parameters[chosen[0]].device)
            lists = (self.parameters, self.means, self.squares)
            parameters, means, squares = ([tensors[i] for i in chosen] for tensors in lists)
            found = [gradients[i].contiguous() for i in chosen]
            torch._fused_adamw_(  # one pass over what ten operations would each pass over
                parameters, found, means, squares, [], [steps] * len(chosen),
                lr=rate, beta1=first, beta2=second, weight_decay=decay, eps=EPSILON, amsgrad=False, maximize=False,
            )  # fmt: skip


@torch.no_grad()
def clip(gradients: Sequence[Tensor], *, largest: float) -> float:
    """Scales `gradients` in place so that their joint norm is at most `largest`; returns the norm before."""
    norm = float(torch.linalg.vector_norm(torch.stack(torch._foreach_norm(list(gradients)))))
    if norm > largest:
        torch._foreach_mul_(list(gradients), largest / norm)
    return norm
