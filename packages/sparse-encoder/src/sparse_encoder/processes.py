"""Training by several processes, as `torchrun` and `accelerate launch` start them; one process is the same code.

Every process plans the whole batch and encodes its share of the texts; vectors are gathered, and gradients added up.
What comes out is the gradient of one process with the whole batch, whichever losses look across it.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """Which of how many processes this is. Every method is called by all of them, in the same order."""

    rank: int = 0
    count: int = 1

    def share_of(self, n: int) -> range:
        """The rows out of `n` that this process computes: every `count`-th, so that lengths are spread evenly.

        >>> [list(Processes(rank=r, count=2).share_of(5)) for r in (0, 1)]
        [[0, 2, 4], [1, 3]]
        """
        return range(self.rank, n, self.count)

    def gather(self, mine: Tensor, *, n: int) -> Tensor:
        """All `n` rows, of which `mine` holds those of `share_of(n)`; carries no gradient."""
        mine = mine.detach()
        if self.count == 1:
            return mine
        most = -(-n // self.count)
        sent = mine.new_zeros((most, *mine.shape[1:]))
        sent[: len(mine)] = mine
        found = [torch.empty_like(sent) for _ in range(self.count)]
        distributed.all_gather(found, sent)
        return torch.stack(found, dim=1).flatten(0, 1)[:n]

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replaces each tensor by its sum over the processes, in place."""
        if self.count > 1:
            for tensor in tensors:
                distributed.all_reduce(tensor)

    def as_first_says(self, values: Sequence[float], device: torch.device) -> list[float]:
        """The first process's values, of which the others give as many of any value."""
        if self.count == 1:
            return list(values)
        told = torch.tensor(values, dtype=torch.float64, device=device)
        distributed.broadcast(told, src=0)
        return [float(value) for value in told.tolist()]

    def wait(self) -> None:
        """Returns when all processes have come here."""
        if self.count > 1:
            distributed.barrier()


@contextmanager
def joined_processes(device: torch.device) -> Iterator[Processes]:
    """Joins the processes that the environment names (RANK, WORLD_SIZE, ...), and leaves them at the end."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(rank=distributed.get_rank(), count=count)
    finally:
        distributed.destroy_process_group()


def is_first_process() -> bool:
    """Whether this process writes the outputs."""
    return os.environ.get("RANK", "0") == "0"
