"""Scaled dot-product attention, spelled out where that is faster: what all backbones share."""

import torch
import torch.nn.functional as F
from torch import Tensor

SHORT = 256
"""Tokens up to which attention in bf16 on a CPU is spelled out: its backward pass is then 2.5 times as fast."""


def attend(q: Tensor, k: Tensor, v: Tensor, visible: Tensor, *, dropout: float) -> Tensor:
    """Values mixed by attention: (batch, tokens, width) from (batch, heads, tokens, head width) each.

    visible: bool, broadcast to (batch, heads, tokens, tokens); every token must see one. A trace has it spelled out,
    for servers and runtimes that know no attention.
    """
    n_texts, n_heads, n_tokens, width = q.shape
    is_traced: bool = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    is_spelled_out = is_traced or (q.dtype == torch.bfloat16 and not q.is_cuda)
    if n_tokens > SHORT or not is_spelled_out:
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=visible, dropout_p=dropout)
    else:
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        shares = scores.masked_fill(~visible, torch.finfo(scores.dtype).min).softmax(dim=-1)
        mixed = F.dropout(shares, dropout) @ v
    return mixed.transpose(1, 2).reshape(n_texts, n_tokens, n_heads * width)
