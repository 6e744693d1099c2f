"""Contrastive alignment: a Korean term is nearer to its English one than to those of other terms, and the reverse.

Likeness alone is cheap: terms of one field are all alike once they all hold the same hundred words of that field. Told
from each other, they gain by what is their own.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def contrastive_alignment(
    korean: Tensor, english: Tensor, weights: Tensor, rivals: Tensor, *, temperature: float
) -> Tensor:
    """Weighted mean over the pairs of the cross-entropy of each term's own translation, meaned over both directions.

    korean, english: (pairs, terms), non-negative; weights: (pairs), the dictionary's confidence; rivals: (pairs,
    pairs) bool, symmetric, whether two pairs may be told from each other: False where they share a term, and not read
    on the diagonal. What is compared is the cosine over `temperature`.
    Source: the symmetric InfoNCE of Radford et al. 2021, arXiv:2103.00020, on sparse vectors.

    >>> same = torch.eye(2)
    >>> float(contrastive_alignment(same, same, torch.ones(2), torch.ones(2, 2, dtype=torch.bool), temperature=1.0))
    0.3132616...
    """
    cosine = F.normalize(korean, dim=1, eps=1e-6) @ F.normalize(english, dim=1, eps=1e-6).T
    own = torch.eye(len(cosine), dtype=torch.bool, device=cosine.device)
    logits = (cosine / temperature).masked_fill(~(rivals | own), torch.finfo(cosine.dtype).min)
    places = torch.arange(len(cosine), device=cosine.device)
    lost = (F.cross_entropy(logits, places, reduction="none") + F.cross_entropy(logits.T, places, reduction="none")) / 2
    return (weights * lost).sum() / weights.sum().clamp_min(1e-6)
