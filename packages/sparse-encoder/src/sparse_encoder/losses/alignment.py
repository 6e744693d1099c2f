"""Cross-lingual alignment: a Korean term and its English one answer to each other's words."""

import torch.nn.functional as F
from torch import Tensor


def alignment(korean: Tensor, english: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean of 1 - cos(ko, en) over the pairs, on their sparse vectors.

    korean, english: (pairs, terms), non-negative; weights: (pairs), the dictionary's confidence. A vector of zeros
    is as far as one that shares no term: its cosine counts as 0.
    Source: the multilingual alignment of Reimers and Gurevych 2020, arXiv:2004.09813, with cosine for their MSE.
    """
    cosine = F.cosine_similarity(korean, english, dim=1, eps=1e-6)
    return (weights * (1 - cosine)).sum() / weights.sum().clamp_min(1e-6)
