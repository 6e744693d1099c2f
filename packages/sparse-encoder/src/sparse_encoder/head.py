"""The SPLADE head: matrix product, maximum over tokens, and only then the activation.

log1p and relu are monotone, so the order does not change the result, but the backward pass then touches one token per
active term, and a (batch, tokens, vocab) tensor never exists: the forward runs in chunks, on a CUDA GPU in one kernel
(`triton_head.py`), and the backward is sparse. On a CPU the forward does not even note which token had the maximum,
which costs more than to find it again for the few terms that have a gradient.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Literal

import torch
from torch import Tensor
from torch.autograd.function import Function, FunctionCtx

CHUNK_LOGITS = 1 << 22
"""Logits held at once in the forward pass: 16 MB of float32, near the size of a processor's cache."""
DENSE_ABOVE = 0.2
"""Share of non-zero gradients above which two matrix products beat adding up rows on a GPU."""


def max_logits(hidden: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """Each text's largest logit per term over its tokens: max_t hidden[b, t] . weight[v].

    hidden: (batch, tokens, width); mask: (batch, tokens), 0 for padding; weight: (terms, width). Returns
    (batch, terms) of hidden's dtype; ties go to the first token. A text without tokens gets the lowest float.

    >>> hidden = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]])
    >>> max_logits(hidden, torch.tensor([[1, 1]]), torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]))
    tensor([[ 1.,  2., -1.]])
    """
    if not torch.is_grad_enabled() and not hidden.is_cuda:
        return _largest(hidden, mask, weight)
    pooled: Tensor = _MaxLogits.apply(hidden, mask, weight)  # type: ignore[no-untyped-call]
    return pooled


Activation = Literal["log1p", "double_log1p"]
"""log(1 + relu(x)) (Formal et al. 2021, arXiv:2109.10086), or log(1 + log(1 + relu(x))), which keeps heavy terms from
outweighing all others (Shen et al. 2025, arXiv:2504.14839)."""


def activate(logits: Tensor, *, leak: float = 0.0, activation: Activation = "log1p") -> Tensor:
    """The weight of a term from its largest logit.

    leak: this share of the gradient also reaches inactive terms, but only where the loss wants them raised. relu alone
    lets no term that a lexical start leaves below zero ever be learned. 0 is plain autograd; the value never changes.
    """
    rectified = _rise(logits, leak) if leak else logits.relu()
    weights = rectified.log1p()
    return weights.log1p() if activation == "double_log1p" else weights


def _largest(hidden: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """The values alone: without their places the maximum is read several times as fast."""
    values = hidden.new_empty((hidden.shape[0], weight.shape[0]))
    hides_some = not bool(mask.all())
    step = max(1, CHUNK_LOGITS // max(1, hidden.shape[1] * weight.shape[0]))
    for start in range(0, len(hidden), step):
        logits = hidden[start : start + step] @ weight.T
        if hides_some:
            logits.masked_fill_(mask[start : start + step, :, None] == 0, torch.finfo(logits.dtype).min)
        torch.amax(logits, dim=1, out=values[start : start + step])
    return values


class _MaxLogits(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, hidden: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
        if not hidden.is_cuda:
            ctx.save_for_backward(hidden, mask, weight)
            return _largest(hidden, mask, weight)
        values, places = _largest_and_places(hidden, mask, weight)
        ctx.save_for_backward(hidden, weight, places)
        return values

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None, Tensor]:
        (gradient,) = gradients
        hidden, *saved = ctx.saved_tensors  # type: ignore[attr-defined]
        if not hidden.is_cuda:
            mask, weight = saved
            (of_hidden,), of_weight = backward_by_text(gradient, [(hidden, mask)], weight)
            return of_hidden, None, of_weight
        weight, places = saved
        n_active = int(gradient.count_nonzero())
        backward = _backward_dense if n_active > DENSE_ABOVE * gradient.numel() else _backward_sparse
        of_hidden, of_weight = backward(gradient, hidden, weight, places)
        return of_hidden, None, of_weight


def _largest_and_places(hidden: Tensor, mask: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Each text's largest logit per term, and the first token that has it."""
    if hidden.is_cuda and find_spec("triton") is not None:
        from sparse_encoder.triton_head import fused_max_logits, is_usable

        if is_usable(hidden.device, hidden.dtype):
            return fused_max_logits(hidden, mask, weight)
    n_texts, n_tokens, _ = hidden.shape
    values = hidden.new_empty((n_texts, weight.shape[0]))
    places = torch.empty((n_texts, weight.shape[0]), dtype=torch.int32, device=hidden.device)
    hides_some = not bool(mask.all())
    step = max(1, CHUNK_LOGITS // max(1, n_tokens * weight.shape[0]))
    for start in range(0, n_texts, step):
        logits = hidden[start : start + step] @ weight.T
        if hides_some:
            padding = mask[start : start + step, :, None] == 0
            logits.masked_fill_(padding, torch.finfo(logits.dtype).min)
        chunk = logits.max(dim=1)
        values[start : start + step] = chunk.values
        places[start : start + step] = chunk.indices
    return values, places


Piece = tuple[Tensor, Tensor]
"""Hidden states (batch, tokens, width) and their 0/1 mask (batch, tokens)."""


def backward_by_text(gradient: Tensor, pieces: Sequence[Piece], weight: Tensor) -> tuple[list[Tensor], Tensor]:
    """The gradients of hidden states and weight where texts' largest logits have `gradient`, (texts, terms).

    The texts are those of all pieces. Logits are computed again for the terms whose gradient is not 0, to find their
    first largest token.
    """
    of_hidden, of_weight = [torch.zeros_like(hidden) for hidden, _ in pieces], torch.zeros_like(weight)
    texts = ((h[i], m[i] == 0, of[i]) for (h, m), of in zip(pieces, of_hidden, strict=True) for i in range(len(h)))
    for row, (states, padding, of_states) in zip(gradient, texts, strict=True):
        hides_some = bool(padding.any())
        for terms in row.nonzero().flatten().split(max(1, CHUNK_LOGITS // max(states.shape))):
            rows = weight.index_select(0, terms)
            logits = states @ rows.T
            if hides_some:
                logits.masked_fill_(padding[:, None], torch.finfo(logits.dtype).min)
            places = logits.max(dim=0).indices
            amounts = row[terms, None].to(states.dtype)
            of_weight.index_add_(0, terms, amounts * states.index_select(0, places))
            of_states.index_add_(0, places, rows.mul_(amounts))
    return of_hidden, of_weight


def _backward_sparse(gradient: Tensor, hidden: Tensor, weight: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    texts, terms = gradient.nonzero(as_tuple=True)
    rows = texts * hidden.shape[1] + places[texts, terms]
    amounts = gradient[texts, terms, None].to(hidden.dtype)
    flat = hidden.reshape(-1, hidden.shape[2])
    of_hidden, of_weight = torch.zeros_like(flat), torch.zeros_like(weight)
    step = max(1, CHUNK_LOGITS // hidden.shape[2])
    for piece in (slice(start, start + step) for start in range(0, len(terms), step)):
        of_hidden.index_add_(0, rows[piece], amounts[piece] * weight[terms[piece]])
        of_weight.index_add_(0, terms[piece], amounts[piece] * flat[rows[piece]])
    return of_hidden.view_as(hidden), of_weight


def _backward_dense(gradient: Tensor, hidden: Tensor, weight: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    of_hidden = torch.empty_like(hidden)
    of_weight = torch.zeros_like(weight)
    n_texts, n_tokens, width = hidden.shape
    step = max(1, CHUNK_LOGITS // max(1, n_tokens * weight.shape[0]))
    for start in range(0, n_texts, step):
        piece = gradient[start : start + step].to(hidden.dtype)
        spread = hidden.new_zeros((len(piece), n_tokens, weight.shape[0]))
        spread.scatter_(1, places[start : start + step, None].long(), piece[:, None])
        of_hidden[start : start + step] = spread @ weight
        of_weight += spread.flatten(0, 1).T @ hidden[start : start + step].reshape(-1, width)
    return of_hidden, of_weight


class _Rise(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, logits: Tensor, leak: float) -> Tensor:
        ctx.save_for_backward(logits)
        ctx.leak = leak  # type: ignore[attr-defined]
        return logits.relu()

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        (logits,) = ctx.saved_tensors  # type: ignore[attr-defined]
        raised = gradient.clamp(max=0.0) * ctx.leak  # type: ignore[attr-defined]
        return torch.where(logits > 0, gradient, raised), None


def _rise(logits: Tensor, leak: float) -> Tensor:
    result: Tensor = _Rise.apply(logits, leak)  # type: ignore[no-untyped-call]
    return result
