"""Documents' heaviest terms without the whole product: 8-bit products find who may be among them, fp32 weighs those.

Nothing is approximated in the result. What rounding to 8 bits can change of a logit is bounded (Cauchy-Schwarz on the
two rounding errors), and every term that its bound does not rule out is weighed exactly. The head is three quarters
of a small model's work, and processors with VNNI multiply bytes four times as fast as floats.
"""

import torch
from torch import Tensor

from sparse_encoder.head import Activation, activate

ROWS = 128
"""Tokens multiplied at once: their (tokens, vocab) product of four bytes each stays near the processor's cache."""
SLACK = 1e-4
"""Added to every bound, for the rounding of the bound itself."""


class Screen:
    """The output matrix in 8 bits, and how far that can put a logit off."""

    def __init__(self, weight: Tensor, bias: Tensor, *, activation: Activation = "log1p") -> None:
        """weight: (vocab, width); bias: (vocab); activation: any, since each is monotone and so keeps the bounds."""
        self.activation = activation
        self.weight = weight
        self.bias = bias
        self.scale = weight.abs().amax(dim=1).clamp(min=1e-12) / 127
        rounded = (weight / self.scale[:, None]).round()
        self.bytes = rounded.to(torch.int8).T
        self.length = weight.norm(dim=1)
        self.error = (weight - rounded * self.scale[:, None]).norm(dim=1)

    def terms(self, hidden: Tensor, mask: Tensor, counted: Tensor | None, *, top_k: int) -> list[tuple[Tensor, Tensor]]:
        """Each text's token ids, ascending, and exact weights: at least its `top_k` heaviest active terms.

        hidden: (texts, tokens, width); mask: (texts, tokens); counted: (texts, vocab), added to the weights.
        """
        # a text's first token again in place of its padding changes no maximum
        hidden = torch.where(mask[:, :, None] != 0, hidden, hidden[:, :1])
        step = max(1, ROWS // hidden.shape[1])
        found: list[tuple[Tensor, Tensor]] = []
        for start in range(0, len(hidden), step):
            piece = hidden[start : start + step]
            added = None if counted is None else counted[start : start + step]
            chosen = self._may_be_heaviest(piece, added, top_k)
            found += [
                self._weigh(piece[i], row.nonzero().flatten(), None if added is None else added[i])
                for i, row in enumerate(chosen)
            ]
        return found

    def _may_be_heaviest(self, hidden: Tensor, counted: Tensor | None, top_k: int) -> Tensor:
        """(texts, vocab) bool: the terms that may be active and among the `top_k` heaviest."""
        pooled, bound = self._bounded(hidden)
        pooled += self.bias
        highest = activate(pooled + bound, activation=self.activation)
        lowest = activate(pooled - bound, activation=self.activation)
        if counted is not None:
            highest, lowest = highest + counted, lowest + counted
        chosen = highest > 0
        if top_k < lowest.shape[1]:
            chosen &= highest >= lowest.topk(top_k, dim=1, sorted=False).values.amin(dim=1, keepdim=True)
        return chosen

    def _bounded(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """(texts, vocab) largest logits by 8-bit products, and how far the exact ones can be from them."""
        n_texts, n_tokens, width = hidden.shape
        scale = hidden.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-12) / 127
        rounded = (hidden / scale).round()
        products = torch._int_mm(rounded.to(torch.int8).view(-1, width), self.bytes)
        largest = products.view(n_texts, n_tokens, -1).amax(dim=1)
        rounded *= scale
        length = rounded.norm(dim=2).amax(dim=1, keepdim=True)
        error = (hidden - rounded).norm(dim=2).amax(dim=1, keepdim=True)
        return largest * (scale[:, 0] * self.scale), length * self.error + error * self.length + SLACK

    def _weigh(self, hidden: Tensor, ids: Tensor, counted: Tensor | None) -> tuple[Tensor, Tensor]:
        logits = (hidden @ self.weight[ids].T).amax(dim=0)
        weights = activate(logits + self.bias[ids], activation=self.activation)
        return ids, weights if counted is None else weights + counted[ids]


def has_byte_products(device: torch.device) -> bool:
    """Whether 8-bit products are native here: elsewhere screening would cost more than it saves."""
    return device.type == "cpu" and bool(torch.cpu._is_vnni_supported())
