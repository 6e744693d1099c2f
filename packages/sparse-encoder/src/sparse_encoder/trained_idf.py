"""Query weights that are trained: they start at the IDF and move at a rate of their own.

The optimizer has one rate for all. What it moves here is `moved`, which starts at 0 and counts `scale` times, and since
Adam's steps do not depend on the size of a gradient, the weights move `scale` times as fast as everything else.
"""

import torch
from torch import Tensor, nn


class TrainedIdf(nn.Module):
    """relu(start + scale * moved), 0 for tokens whose IDF is 0 from the start, the special ones among them."""

    start: Tensor

    def __init__(self, start: Tensor, *, scale: float) -> None:
        super().__init__()
        self.register_buffer("start", start)
        self.moved = nn.Parameter(torch.zeros_like(start))
        self.scale = scale

    def forward(self) -> Tensor:
        """(vocab)."""
        return (self.start + self.scale * self.moved).relu() * (self.start > 0)
