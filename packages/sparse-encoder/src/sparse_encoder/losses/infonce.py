"""InfoNCE: the positive against every other document of the batch."""

import torch
from torch import Tensor


def infonce(scores: Tensor, positives: Tensor, allowed: Tensor, *, temperature: float) -> Tensor:
    """Mean cross-entropy of each query's positive among the documents that it may be told from.

    L = -log(exp(s+ / T) / sum_d exp(s_d / T)). scores: (queries, documents); positives: (queries) column of each
    query's positive; allowed: (queries, documents) bool, False where a document is a positive too and must not count.
    Source: van den Oord et al. 2018, arXiv:1807.03748; in-batch negatives, Karpukhin et al. 2020, arXiv:2004.04906.

    >>> scores = torch.tensor([[2.0, 0.0], [0.0, 2.0]])
    >>> float(infonce(scores, torch.tensor([0, 1]), torch.ones(2, 2, dtype=torch.bool), temperature=1.0))
    0.1269280...
    """
    masked = (scores / temperature).masked_fill(~allowed, torch.finfo(scores.dtype).min)
    return torch.nn.functional.cross_entropy(masked, positives)
