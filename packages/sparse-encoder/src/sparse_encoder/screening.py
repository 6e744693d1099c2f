"""Documents' heaviest terms without the whole product: 8-bit products find who may be among them, fp32 weighs those.

Nothing is approximated in the result. What rounding to 8 bits can change of a logit is bounded (Cauchy-Schwarz on the
two rounding errors), and every term that its bound does not rule out is weighed exactly. The head is three quarters
of a small model's work, and processors with VNNI multiply bytes four times as fast as floats.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.function import Function, FunctionCtx

from sparse_encoder.head import Activation, Piece, activate, backward_by_text

ROWS = 256
"""Tokens multiplied at once: their (tokens, vocab) product of a byte each stays near the processor's cache."""
LEVELS = 254
"""Steps from 0 to the largest logit that a term can have, in a byte with one to spare for rounding."""
SLACK = 1e-4
"""Added to every bound, for the rounding of the bound itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Of the largest logits of texts, output bias included: at most levels * step, and at least that less `width`."""

    levels: Tensor
    """(texts, vocab), bytes; 0 is a term that is not active."""
    step: Tensor
    """(vocab): what a level is of each term's logit."""
    width: Tensor
    """(vocab)."""


class Screen:
    """The output matrix in 8 bits, and how far that can put a logit off."""

    def __init__(self, weight: Tensor, bias: Tensor, *, activation: Activation = "log1p") -> None:
        """weight: (vocab, width); bias: (vocab); activation: any, since each is monotone and so keeps the bounds."""
        self.activation = activation
        self.weight = weight
        self.bias = bias
        self.scale = weight.abs().amax(dim=1).clamp(min=1e-12) / 127
        rounded = (weight / self.scale[:, None]).round()
        # packed once: a plain 8-bit product would order the whole matrix anew at each call
        self.bytes = torch.ops.onednn.qlinear_prepack(rounded.to(torch.int8), [ROWS, weight.shape[1]])
        rounded *= self.scale[:, None]
        self.zeros = torch.zeros(len(weight), dtype=torch.int32)
        self.length = rounded.norm(dim=1)
        self.error = (weight - rounded).norm(dim=1)

    def terms(self, hidden: Tensor, mask: Tensor, counted: Tensor | None, *, top_k: int) -> list[tuple[Tensor, Tensor]]:
        """Each text's token ids, ascending, and exact weights: at least its `top_k` heaviest active terms.

        hidden: (texts, tokens, width); mask: (texts, tokens), 0 for padding behind the last token; counted: (texts,
        vocab), not negative, added to the weights.
        """
        lengths = (mask != 0).sum(dim=1).tolist()
        found: list[tuple[Tensor, Tensor]] = []
        for texts in _together(lengths):
            states = [hidden[i, : lengths[i]] for i in texts]
            bounds = self._bounded(states)
            for place, i in enumerate(texts):
                added = None if counted is None else counted[i]
                ids = self._may_be_heaviest(bounds, place, added, top_k)
                found.append(self._weigh(states[place], ids, added))
        return found

    def logits(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """(texts, vocab): each term's largest logit with its bias where that is above 0, and 0 elsewhere."""
        lengths = (mask != 0).sum(dim=1).tolist()
        found = hidden.new_zeros((len(hidden), len(self.bias)))
        for texts in _together(lengths):
            levels = self._bounded([hidden[i, : lengths[i]] for i in texts]).levels
            for place, i in enumerate(texts):
                ids = levels[place].nonzero().flatten()
                largest = (hidden[i, : lengths[i]] @ self.weight[ids].T).amax(dim=0)
                found[i, ids] = (largest + self.bias[ids]).relu_()
        return found

    def _may_be_heaviest(self, bounds: Bounds, place: int, counted: Tensor | None, top_k: int) -> Tensor:
        """Ids, ascending, of the terms of a text that may be active and among its `top_k` heaviest."""
        levels = bounds.levels[place]
        can_be = levels > 0 if counted is None else (levels > 0) | (counted > 0)
        ids = can_be.nonzero().flatten()
        if len(ids) <= top_k:
            return ids
        highest = levels[ids] * bounds.step[ids]
        lowest = highest - bounds.width[ids]
        if counted is not None:
            highest = activate(highest, activation=self.activation) + counted[ids]
            lowest = activate(lowest, activation=self.activation) + counted[ids]
        return ids[highest >= lowest.topk(top_k, sorted=False).values.amin()]

    def _bounded(self, states: list[Tensor]) -> Bounds:
        """Of texts, each (tokens, width)."""
        hidden = torch.cat(states)
        scale = float(hidden.abs().amax().clamp(min=1e-12)) / 127
        rounded = (hidden / scale).round()
        shifted = (rounded + 128).to(torch.uint8)
        rounded *= scale
        longest = rounded.norm(dim=1).amax()
        error = longest * self.error + (hidden - rounded).norm(dim=1).amax() * (self.length + self.error) + SLACK
        raised = self.bias + error
        step = (longest * self.length + raised.clamp(min=0.0)).clamp(min=1e-12) / LEVELS
        products = torch.ops.onednn.qlinear_pointwise(
            shifted, scale, 128, self.bytes, self.scale / step, self.zeros, raised / step + 0.5,
            1.0, 0, torch.uint8, "relu", [], "",
        )  # fmt: skip
        levels = torch.stack([part.amax(dim=0) for part in products.split([len(s) for s in states])])
        return Bounds(levels=levels, step=step, width=step + 2 * error)

    def _weigh(self, hidden: Tensor, ids: Tensor, counted: Tensor | None) -> tuple[Tensor, Tensor]:
        logits = (hidden @ self.weight[ids].T).amax(dim=0)
        weights = activate(logits + self.bias[ids], activation=self.activation)
        return ids, weights if counted is None else weights + counted[ids]


def _together(lengths: list[int]) -> list[range]:
    """Runs of texts of at most ROWS tokens, and of one text at least."""
    runs: list[range] = []
    start = n_rows = 0
    for i, length in enumerate(lengths):
        if i > start and n_rows + length > ROWS:
            runs.append(range(start, i))
            start, n_rows = i, 0
        n_rows += length
    return [*runs, range(start, len(lengths))]


def has_byte_products(device: torch.device) -> bool:
    """Whether 8-bit products are native here: elsewhere screening would cost more than it saves."""
    return device.type == "cpu" and torch.backends.mkldnn.is_available() and bool(torch.cpu._is_vnni_supported())


def active_logits(pieces: Sequence[Piece], weight: Tensor, bias: Tensor, screen: Screen) -> Tensor:
    """(texts, terms) for training: each text's largest logit plus bias where that is above 0, and 0 elsewhere.

    The gradient is that of the largest logits plus bias everywhere, also where the value is 0: whoever rectifies it,
    with or without a leak, gets what plain autograd gives. screen: made of this weight and bias.
    """
    hidden, masks = [h for h, _ in pieces], [m for _, m in pieces]
    logits: Tensor = _ActiveLogits.apply(weight, bias, screen, masks, *hidden)  # type: ignore[no-untyped-call]
    return logits


class _ActiveLogits(Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, weight: Tensor, bias: Tensor, screen: Screen, masks: list[Tensor], *hidden: Tensor
    ) -> Tensor:
        ctx.save_for_backward(weight, *hidden)
        ctx.masks = masks  # type: ignore[attr-defined]
        return torch.cat([screen.logits(h, mask) for h, mask in zip(hidden, masks, strict=True)])

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        weight, *hidden = ctx.saved_tensors  # type: ignore[attr-defined]
        pieces = list(zip(hidden, ctx.masks, strict=True))  # type: ignore[attr-defined]
        of_hidden, of_weight = backward_by_text(gradient, pieces, weight)
        return of_weight, gradient.sum(dim=0), None, None, *of_hidden
