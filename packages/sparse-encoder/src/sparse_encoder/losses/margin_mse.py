"""MarginMSE: the distance between positive and negative, as large as the teacher says."""

from torch import Tensor


def margin_mse(scores: Tensor, teacher: Tensor, present: Tensor) -> Tensor:
    """Mean squared difference of the model's and the teacher's margins of the first document over each other one.

    scores, teacher: (groups, documents), the positive first; present: (groups, documents) bool, False behind the last
    document of a shorter group. Mean over all negatives; 0 where there is none.
    Source: Hofstaetter et al. 2020, arXiv:2010.02666.
    """
    ours = scores[:, :1] - scores[:, 1:]
    wanted = teacher[:, :1] - teacher[:, 1:]
    found = (ours - wanted)[present[:, 1:]]
    return found.square().mean() if found.numel() else scores.sum() * 0
