"""L1: the sum of a vector's weights, which presses on every active term alike."""

from torch import Tensor

from sparse_encoder.losses.flops import let_off


def l1(weights: Tensor, share: Tensor, *, threshold: int = 0) -> Tensor:
    """The summed weights of a document, meaned over documents.

    weights: (documents, columns), non-negative; share and threshold: as in `flops`.
    Source: Lassance and Clinchant 2022, arXiv:2207.03834, for queries.
    """
    return (let_off(weights, share, threshold=threshold) * share).sum(dim=1).mean()
