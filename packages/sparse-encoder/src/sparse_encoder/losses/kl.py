"""KL distillation: the model's ranking of a group towards a teacher's."""

import torch
import torch.nn.functional as F
from torch import Tensor


def kl_distillation(scores: Tensor, teacher: Tensor, present: Tensor, *, temperature: float) -> Tensor:
    """KL(teacher || model) over each group's documents, times T squared so that gradients keep their size.

    scores, teacher: (groups, documents), raw; both are softmaxed at `temperature`. present: (groups, documents) bool,
    False behind the last document of a shorter group. Mean over groups.
    Source: Hinton et al. 2015, arXiv:1503.02531; for retrieval Lin et al. 2021, arXiv:2010.11386.

    >>> everywhere = torch.ones(1, 2, dtype=torch.bool)
    >>> float(kl_distillation(torch.zeros(1, 2), torch.tensor([[1.0, 1.0]]), everywhere, temperature=2.0))
    0.0
    """
    lowest = torch.finfo(scores.dtype).min
    model = F.log_softmax((scores / temperature).masked_fill(~present, lowest), dim=1)
    wanted = F.log_softmax((teacher / temperature).masked_fill(~present, lowest), dim=1)
    return F.kl_div(model, wanted, log_target=True, reduction="batchmean") * temperature**2
