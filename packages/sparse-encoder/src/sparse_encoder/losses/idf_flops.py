"""IDF-aware FLOPS: what is in every document is pressed out before what names one."""

from torch import Tensor

from sparse_encoder.losses.flops import flops

LEAST = 0.05
"""Of a term's IDF against the mean, so that a term without any is pressed hard and not without end."""


def idf_flops(weights: Tensor, share: Tensor, idf: Tensor, *, threshold: int = 0) -> Tensor:
    """FLOPS of weights divided by their term's IDF: sum over terms of (mean weight / idf)^2.

    weights: (documents, columns), non-negative; share and threshold: as in `flops`; idf: (columns), over the mean of
    the vocabulary, so that the sum is of FLOPS' size and equals it where all terms weigh the same.
    Source: Geng et al. 2024, arXiv:2411.04403, whose queries' IDF does the same to the balance of a score and plain
    FLOPS; here it is said of the vector itself, for queries that a network weighs, or to press common terms further.

    >>> import torch
    >>> float(idf_flops(torch.tensor([[1.0, 0.0], [3.0, 2.0]]), torch.ones(2), torch.tensor([0.5, 2.0])))
    16.25
    """
    return flops(weights / idf.clamp(min=LEAST), share, threshold=threshold)
