"""KL distillation: the model's ranking of a group towards a teacher's."""

import torch.nn.functional as F
from torch import Tensor


def kl_distillation(scores: Tensor, teacher: Tensor, *, temperature: float) -> Tensor:
    """KL(teacher || model) over each group's documents, times T squared so that gradients keep their size.

    scores, teacher: (groups, documents), raw; both are softmaxed at `temperature`. Mean over groups.
    Source: Hinton et al. 2015, arXiv:1503.02531; for retrieval Lin et al. 2021, arXiv:2010.11386.

    >>> import torch
    >>> float(kl_distillation(torch.zeros(1, 2), torch.tensor([[1.0, 1.0]]), temperature=2.0))
    0.0
    """
    model = F.log_softmax(scores / temperature, dim=1)
    wanted = F.log_softmax(teacher / temperature, dim=1)
    return F.kl_div(model, wanted, log_target=True, reduction="batchmean") * temperature**2
