"""Gradient checkpointing: a layer's inner activations are dropped and computed again on the way back.

Source: Chen et al. 2016, arXiv:1604.06174.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from torch import nn


@contextmanager
def recomputed_layers(backbone: nn.Module) -> Iterator[None]:
    """While it is open, every layer of the backbone's stack keeps its inputs alone; values and gradients stay."""
    from torch.utils.checkpoint import checkpoint  # loads torch's compiler, which other runs need not wait for

    layers = [layer for stack in backbone.modules() if isinstance(stack, nn.ModuleList) for layer in stack]
    for layer in layers:
        layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward
