"""L1: the sum of a vector's weights, which presses on every active term alike."""

from torch import Tensor


def l1(weights: Tensor, share: Tensor) -> Tensor:
    """The summed weights of a document, meaned over documents.

    weights: (documents, columns), non-negative; share: (columns), as in `flops`.
    Source: Lassance and Clinchant 2022, arXiv:2207.03834, for queries.
    """
    return (weights * share).sum(dim=1).mean()
