"""Linear layers that multiply in 8 bits: weights rounded once by row, activations for every token as it comes."""

import copy

import torch
from torch import Tensor, nn

from sparse_encoder.backbone import Backbone


class EightBitLinear(nn.Module):
    """A linear layer's weights in a quarter of their bytes; what it returns is float32.

    Symmetric, by the largest of a row (of weights) or of a token (of activations), as in Dettmers et al. 2022,
    arXiv:2208.07339, without its path for outliers.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach()
        self.scale = weight.abs().amax(dim=1).clamp(min=1e-12) / 127
        self.bytes = (weight / self.scale[:, None]).round().to(torch.int8).T
        self.bias = linear.bias.detach() if linear.bias is not None else torch.zeros(len(weight))

    def forward(self, states: Tensor) -> Tensor:
        """(..., width) to (..., outputs)."""
        flat = states.reshape(-1, states.shape[-1])
        scale = flat.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
        products = torch._int_mm((flat / scale).round().to(torch.int8), self.bytes)
        result = torch.addcmul(self.bias, products.float().mul_(scale), self.scale)
        return result.view(*states.shape[:-1], -1)


def in_eight_bits(backbone: Backbone) -> Backbone:
    """A copy of the backbone for inference whose linear layers multiply in 8 bits; embeddings and norms are kept."""
    found = copy.deepcopy(backbone).eval()
    for name, module in list(found.named_modules()):
        if isinstance(module, nn.Linear):
            found.set_submodule(name, EightBitLinear(module))
    return found
