"""FLOPS: what scoring a random query against the documents costs in an inverted index."""

from torch import Tensor


def flops(weights: Tensor, share: Tensor, *, threshold: int = 0) -> Tensor:
    """The squared batch-mean weight, summed over terms.

    weights: (documents, columns), non-negative; share: (columns), 1 over the chance that this column of the vocabulary
    is among those looked at, which makes the sum an unbiased estimate (Horvitz and Thompson 1952); 1 everywhere is the
    exact loss. threshold: documents with at most so many active terms are let off (L0 mask); 0 lets none off.
    Source: Paria et al. 2020, arXiv:2004.05665; the threshold Geng et al. 2025, arXiv:2504.14839.

    >>> import torch
    >>> float(flops(torch.tensor([[1.0, 0.0], [3.0, 2.0]]), torch.ones(2)))
    5.0
    """
    return (let_off(weights, share, threshold=threshold).mean(dim=0).square() * share).sum()


def let_off(weights: Tensor, share: Tensor, *, threshold: int) -> Tensor:
    """The weights with those rows at 0 that have at most `threshold` active terms; all of them where it is 0."""
    if not threshold:
        return weights
    n_active = ((weights > 0) * share).sum(dim=1, keepdim=True)
    return weights * (n_active > threshold)
