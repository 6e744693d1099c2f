"""Margin ranking: the positive above each negative by at least a margin."""

from torch import Tensor


def margin_ranking(scores: Tensor, present: Tensor, *, margin: float) -> Tensor:
    """Mean of max(0, margin - (s+ - s-)) over all groups' negatives.

    scores: (groups, documents), the positive first; present: (groups, documents) bool, False behind the last document
    of a shorter group. 0 where there is no negative.
    Source: Weston and Watkins 1999; torch's MarginRankingLoss with the positive first.
    """
    gaps = (scores[:, :1] - scores[:, 1:])[present[:, 1:]]
    return (margin - gaps).relu().mean() if gaps.numel() else scores.sum() * 0
