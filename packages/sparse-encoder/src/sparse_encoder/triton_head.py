"""The forward pass of the head as one GPU kernel: logits live in registers, and only their maximum is written.

Imported where there is a CUDA GPU alone. Triton compiles at the first call and fails on some machines (no C compiler,
some ARM builds), so `is_usable` tries it on a small example and says once when torch must do.
"""

import warnings
from functools import cache

import torch
import triton
import triton.language as tl
from torch import Tensor

TERMS, TOKENS = 128, 32
"""Terms and tokens that one program holds the logits of."""
INNER = 32
"""Columns of hidden states and weights that it multiplies at once."""


@triton.jit
def _kernel(  # type: ignore[no-untyped-def]  # noqa: PLR0913 - a kernel takes its pointers and sizes apart
    hidden, mask, weight, values, places, n_tokens, n_terms, width, lowest,
    TERMS: tl.constexpr, TOKENS: tl.constexpr, INNER: tl.constexpr,  # noqa: N803 - Triton's way
):  # fmt: skip
    """One text and TERMS terms: runs over the text's tokens and keeps each term's largest logit and its first place."""
    text = tl.program_id(0).to(tl.int64)
    terms = tl.program_id(1) * TERMS + tl.arange(0, TERMS)
    best = tl.full((TERMS,), lowest, tl.float32)
    place = tl.zeros((TERMS,), tl.int32)
    for start in range(0, n_tokens, TOKENS):
        tokens = start + tl.arange(0, TOKENS)
        logits = tl.zeros((TOKENS, TERMS), tl.float32)
        for first in range(0, width, INNER):
            columns = first + tl.arange(0, INNER)
            inside = columns < width
            states = tl.load(
                hidden + (text * n_tokens + tokens)[:, None] * width + columns[None, :],
                mask=(tokens < n_tokens)[:, None] & inside[None, :],
                other=0.0,
            )
            rows = tl.load(
                weight + terms[None, :].to(tl.int64) * width + columns[:, None],
                mask=(terms < n_terms)[None, :] & inside[:, None],
                other=0.0,
            )
            logits = tl.dot(states, rows, logits, input_precision="ieee")
        visible = tl.load(mask + text * n_tokens + tokens, mask=tokens < n_tokens, other=0)
        logits = tl.where((visible != 0)[:, None], logits, lowest)
        top, at = tl.max(logits, axis=0, return_indices=True)
        is_larger = top > best
        best = tl.where(is_larger, top, best)
        place = tl.where(is_larger, start + at, place)
    written = terms < n_terms
    tl.store(values + text * n_terms + terms, best.to(values.dtype.element_ty), mask=written)
    tl.store(places + text * n_terms + terms, place, mask=written)


def fused_max_logits(hidden: Tensor, mask: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Each text's largest logit per term and the token that has it, the first of equals.

    hidden: (batch, tokens, width); mask: (batch, tokens), 0 for padding; weight: (terms, width) of hidden's dtype.
    Returns (batch, terms) of hidden's dtype and of int32. Sums are float32 whatever the dtype.
    """
    n_texts, n_tokens, width = hidden.shape
    n_terms = weight.shape[0]
    values = hidden.new_empty((n_texts, n_terms))
    places = torch.empty((n_texts, n_terms), dtype=torch.int32, device=hidden.device)
    grid = (n_texts, triton.cdiv(n_terms, TERMS))
    _kernel[grid](
        hidden.contiguous(), mask.contiguous(), weight.contiguous(), values, places, n_tokens, n_terms, width,
        torch.finfo(hidden.dtype).min, TERMS=TERMS, TOKENS=TOKENS, INNER=INNER,
    )  # fmt: skip
    return values, places


@cache
def is_usable(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether the kernel compiles here and is right on a small example; warns once where it does not."""
    hidden = torch.linspace(-1, 1, 2 * 3 * 16, device=device).view(2, 3, 16).to(dtype)
    weight = torch.linspace(1, -1, 5 * 16, device=device).view(5, 16).to(dtype)
    mask = torch.tensor([[1, 1, 1], [1, 0, 0]], device=device)
    try:
        found, _ = fused_max_logits(hidden, mask, weight)
        logits = (hidden.float() @ weight.float().T).masked_fill(mask[:, :, None] == 0, -1e30)
        torch.testing.assert_close(found.float(), logits.amax(dim=1), rtol=2e-2, atol=2e-2)
    except Exception as error:  # a compiler may fail in any way, and torch does the same
        warnings.warn(f"the head runs in torch, not Triton: {type(error).__name__}: {error}", stacklevel=2)
        return False
    return True
