"""The gradients of a step: at once, or in pieces and by several processes, to the same result.

Source of the pieces: the gradient cache of Gao et al. 2021, arXiv:2101.06983: encode without gradients, take the loss's
gradients at the vectors, then encode each piece again and go on from there. Losses see the whole batch, memory a piece.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sparse_encoder.network import Network
from sparse_encoder.objective import Kind, Parts, Plan, encode
from sparse_encoder.processes import Processes

Loss = Callable[[Mapping[Kind, Tensor]], Parts]
"""From the vectors of a whole batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backward:
    """How gradients are computed."""

    leak: float = 0.0
    piece: int = 0
    """Texts encoded at once with a gradient cache; 0 holds the whole batch."""
    processes: Processes = Processes()
    seed: int = 0
    """Of dropout, where texts are encoded in pieces: each piece's second time has the masks of its first."""


def gradients_of(
    loss: Loss, plan: Plan, network: Network, parameters: Sequence[Tensor], *, how: Backward, scale: float = 1.0
) -> tuple[Parts, list[Tensor]]:
    """The loss of a planned step and the gradient of `scale` times it for each parameter.

    The same in every process; differs by rounding alone from one process that holds the whole batch, dropout aside.
    """
    if how.piece == 0 and how.processes.count == 1:
        vectors = {k: encode(network, k, texts, plan.columns.ids, leak=how.leak) for k, texts in plan.texts.items()}
        parts = loss(vectors)
        found = torch.autograd.grad(parts.total * scale, parameters, allow_unused=True)
        return parts, [torch.zeros_like(p) if g is None else g for g, p in zip(found, parameters, strict=True)]
    return _in_pieces(loss, plan, network, parameters, how, scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    kind: Kind
    rows: range
    seed: int


def _in_pieces(
    loss: Loss, plan: Plan, network: Network, parameters: Sequence[Tensor], how: Backward, scale: float
) -> tuple[Parts, list[Tensor]]:
    pieces = _pieces(plan, how)
    kept = [_encoded(network, plan, piece, how, with_graph=how.piece == 0) for piece in pieces]
    whole = _gathered(plan, pieces, kept, how.processes)
    parts = loss(whole)
    of_whole = torch.autograd.grad(parts.total * scale, list(whole.values()), allow_unused=True)
    by_kind = dict(zip(whole, of_whole, strict=True))
    totals = [torch.zeros_like(p) for p in parameters]
    for piece, vectors in zip(pieces, kept, strict=True):
        gradient = by_kind[piece.kind]
        if gradient is None:
            continue
        again = vectors if how.piece == 0 else _encoded(network, plan, piece, how, with_graph=True)
        if not again.requires_grad:
            continue
        found = torch.autograd.grad(again, parameters, gradient[list(piece.rows)], allow_unused=True)
        torch._foreach_add_(
            [t for t, g in zip(totals, found, strict=True) if g is not None], [g for g in found if g is not None]
        )
    how.processes.add_up(totals)
    return parts, totals


def _pieces(plan: Plan, how: Backward) -> list[_Piece]:
    """This process's rows of every kind of text, cut to the size of a piece."""
    found: list[_Piece] = []
    for kind, texts in plan.texts.items():
        rows = how.processes.share_of(len(texts))
        size = how.piece or max(1, len(rows))
        for start in range(0, len(rows), size):
            seed = (how.seed * how.processes.count + how.processes.rank) * 100_003 + len(found)
            found.append(_Piece(kind=kind, rows=rows[start : start + size], seed=seed))
    return found


def _encoded(network: Network, plan: Plan, piece: _Piece, how: Backward, *, with_graph: bool) -> Tensor:
    torch.manual_seed(piece.seed)
    texts = [plan.texts[piece.kind][i] for i in piece.rows]
    with torch.set_grad_enabled(with_graph):
        return encode(network, piece.kind, texts, plan.columns.ids, leak=how.leak)


def _gathered(plan: Plan, pieces: Sequence[_Piece], kept: Sequence[Tensor], processes: Processes) -> dict[Kind, Tensor]:
    whole: dict[Kind, Tensor] = {}
    for kind, texts in plan.texts.items():
        mine = [v.detach() for v, piece in zip(kept, pieces, strict=True) if piece.kind == kind]
        empty = plan.columns.share.new_zeros((0, len(plan.columns.ids)))
        whole[kind] = processes.gather(torch.cat([empty, *mine]), n=len(texts)).requires_grad_()
    return whole
