"""Margin ranking: the positive above each negative by at least a margin."""

from torch import Tensor


def margin_ranking(scores: Tensor, *, margin: float) -> Tensor:
    """Mean of max(0, margin - (s+ - s-)) over each group's negatives.

    scores: (groups, documents), the positive first. 0 where a group has one document.
    Source: Weston and Watkins 1999; torch's MarginRankingLoss with the positive first.
    """
    gaps = scores[:, :1] - scores[:, 1:]
    return (margin - gaps).relu().mean() if gaps.numel() else scores.sum() * 0
