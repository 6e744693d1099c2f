"""A sparse encoder as training sees it: backbone, head, and the query side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sparse_encoder.backbone import Backbone
from sparse_encoder.groups import Example
from sparse_encoder.head import Activation, activate, max_logits
from sparse_encoder.lexical import LexicalChannel
from sparse_encoder.screening import Screen, active_logits, has_byte_products
from sparse_encoder.trained_idf import TrainedIdf

PIECES = 4
"""Length-sorted batches are run in so many parts, so that short texts carry little padding."""
SCREENED_TERMS, SCREENED_TOKENS = 8192, 1024
"""Terms and tokens from which on finding active terms in 8 bits saves more than rounding the output matrix costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The document side's model, and what encodes queries: the weight of every token, or a network."""

    bert: Backbone
    idf: Tensor
    """(vocab), 0 for special tokens and for those that a query is not to ask for."""
    lexical: LexicalChannel | None = None
    """Adds a count of the document's own tokens to the learned weights."""
    activation: Activation = "log1p"
    products: torch.dtype = torch.float32
    """The type that matrix products are done in."""
    trained_idf: TrainedIdf | None = None
    """Weighs a query's tokens instead of `idf`."""
    query: "Network | None" = None
    """Encodes queries; None: they are bags of tokens. It may hold the document side's own parts."""
    silent: frozenset[int] = frozenset()
    """Tokens that weigh nothing on either side: special ones and, in bags of tokens, those whose IDF is 0."""

    def ask(self, queries: Sequence[Sequence[int]], columns: Tensor | None, *, leak: float = 0.0) -> Tensor:
        """Weights of queries, as bags of distinct tokens or, for a network, as texts: (queries, columns)."""
        if self.query is not None:
            return self.query.weights(queries, columns, leak=leak)
        return bags(queries, self.idf if self.trained_idf is None else self.trained_idf(), columns)

    def weights(self, texts: Sequence[Sequence[int]], columns: Tensor | None, *, leak: float = 0.0) -> Tensor:
        """Weights of `columns` of the vocabulary for texts given as token ids: (texts, columns).

        texts: ascending in length for speed, any order for correctness; columns None is the whole vocabulary.
        """
        weight, bias = self.bert.output_weight(), self.bert.output_bias()
        if columns is not None:
            weight, bias = weight[columns], bias[columns]
        size = -(-len(texts) // min(PIECES, len(texts)))
        pieces = [padded(texts[i : i + size], device=weight.device) for i in range(0, len(texts), size)]
        learned = activate(self._logits(pieces, weight, bias), leak=leak, activation=self.activation)
        if self.lexical is None:
            return learned
        return learned + torch.cat([self.lexical(ids, mask, columns) for ids, mask in pieces])

    def _logits(self, texts: Sequence[tuple[Tensor, Tensor]], weight: Tensor, bias: Tensor) -> Tensor:
        """(texts, columns): largest logits plus bias; one that is not above 0 may be 0."""
        if self.products != torch.float32:
            return torch.cat([self._rounded(ids, mask, weight) for ids, mask in texts]) + bias
        n_tokens = sum(mask.numel() for _, mask in texts)
        is_screened = len(weight) >= SCREENED_TERMS and n_tokens >= SCREENED_TOKENS
        if not (is_screened and has_byte_products(weight.device)):
            pieces = [(self.bert.hidden(ids, mask), mask) for ids, mask in texts]
            return torch.cat([max_logits(hidden, mask, weight) for hidden, mask in pieces]) + bias
        # made first: rounding holds four times the output matrix, beside which layers need not keep anything yet
        screen = Screen(weight.detach(), bias.detach())
        return active_logits([(self.bert.hidden(ids, mask), mask) for ids, mask in texts], weight, bias, screen)

    def _rounded(self, ids: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
        with torch.autocast(weight.device.type, dtype=self.products):
            hidden = self.bert.hidden(ids, mask)
        return max_logits(hidden.to(self.products), mask, weight.to(self.products)).float()


def padded(texts: Sequence[Sequence[int]], *, device: torch.device, pad: int = 0) -> tuple[Tensor, Tensor]:
    """(texts, tokens) ids and 0/1 mask of texts of unequal length."""
    longest = max(map(len, texts))
    ids = torch.tensor([[*text, *[pad] * (longest - len(text))] for text in texts], device=device)
    lengths = torch.tensor([len(text) for text in texts], device=device)
    return ids, (torch.arange(longest, device=device)[None] < lengths[:, None]).to(torch.long)


def bags(queries: Sequence[Sequence[int]], idf: Tensor, columns: Tensor | None) -> Tensor:
    """Queries as bags of tokens times IDF: (queries, columns); columns ascending, None the whole vocabulary.

    >>> bags([[2, 1, 2]], torch.tensor([0.0, 1.5, 2.0]), None)
    tensor([[0.0000, 1.5000, 2.0000]])
    """
    rows = torch.tensor([i for i, q in enumerate(queries) for _ in q], device=idf.device)
    tokens = torch.tensor([t for q in queries for t in q], device=idf.device, dtype=torch.long)
    places = tokens if columns is None else torch.searchsorted(columns, tokens)
    result = idf.new_zeros((len(queries), len(idf) if columns is None else len(columns)))
    if len(tokens):
        result[rows, places] = idf[tokens]
    return result


def query_text(network: Network, example: Example) -> list[int]:
    """The tokens of an example's query in the form that `ask` takes."""
    if network.query is not None:
        return list(example.sequence)
    return [token for token in example.query if token not in network.silent]


def named_parameters(network: Network) -> Iterator[tuple[str, Tensor]]:
    """What is trained, in a fixed order."""
    yield from sorted(network.bert.named_parameters())
    if network.lexical is not None:
        yield from (("lexical." + name, p) for name, p in sorted(network.lexical.named_parameters()))
    if network.trained_idf is not None:
        yield "trained_idf.moved", network.trained_idf.moved
    for other in backbones(network)[1:]:
        yield from (("query." + name, p) for name, p in sorted(other.named_parameters()))


def backbones(network: Network) -> list[Backbone]:
    """The document side's and, where it is another, the query side's."""
    other = network.query.bert if network.query is not None else network.bert
    return [network.bert] if other is network.bert else [network.bert, other]


def set_training(network: Network, *, on: bool) -> None:
    """Turns dropout on or off on both sides."""
    for backbone in backbones(network):
        backbone.train(on)
