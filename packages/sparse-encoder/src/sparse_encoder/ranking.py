"""How well a model ranks validation groups: each query against all their documents."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from sparse_encoder.groups import Examples
from sparse_encoder.network import Network, query_text

BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Means over the queries, and what documents cost."""

    ndcg_at_10: float
    mrr_at_10: float
    active_terms: float
    flops: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> "Ranking":
        """From its fields in order."""
        return cls(**dict(zip((f.name for f in fields(cls)), numbers, strict=True)))


@torch.no_grad()
def rank(network: Network, data: Examples, *, max_active_terms: int) -> Ranking:
    """Judges the network on `data`; every document that is positive for a query's text counts as relevant.

    max_active_terms: of every vector the heaviest so many count, as in the saved model.
    """
    order = sorted(range(len(data.documents)), key=lambda i: len(data.documents[i]))
    queries, needed = _asked(network, data, max_active_terms)
    scores = network.idf.new_zeros((len(queries), len(order)))
    n_active = 0
    mass = torch.zeros_like(network.idf)
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        weights = heaviest(network.weights([data.documents[i] for i in chosen], None), max_active_terms)
        scores[:, chosen] = queries @ weights[:, needed].T
        n_active += int(weights.count_nonzero())
        mass += weights.sum(dim=0)
    tops = scores.topk(min(10, len(order)), dim=1).indices.tolist()
    relevant = [data.positives[e.query] for e in data.examples]
    gains = [[i in r for i in top] for top, r in zip(tops, relevant, strict=True)]
    return Ranking(
        ndcg_at_10=sum(ndcg(g, len(r)) for g, r in zip(gains, relevant, strict=True)) / len(gains),
        mrr_at_10=sum(next((1 / (k + 1) for k, hit in enumerate(g) if hit), 0.0) for g in gains) / len(gains),
        active_terms=n_active / len(order),
        flops=float((mass / len(order)).square().sum()),
    )


def heaviest(weights: Tensor, n_terms: int) -> Tensor:
    """(texts, vocab) with all but each text's `n_terms` heaviest at 0; at equal weight the smaller id stays.

    >>> heaviest(torch.tensor([[1.0, 3.0, 1.0, 2.0], [0.0, 0.0, 4.0, 0.0]]), 3)
    tensor([[1., 3., 0., 2.],
            [0., 0., 4., 0.]])
    """
    if n_terms >= weights.shape[1]:
        return weights
    last = weights.topk(n_terms, dim=1).values[:, -1:]
    above, equal = weights > last, weights == last
    n_free = n_terms - above.sum(dim=1, keepdim=True)
    return weights * (above | (equal & (equal.cumsum(dim=1) <= n_free)))


def _asked(network: Network, data: Examples, max_active_terms: int) -> tuple[Tensor, Tensor]:
    """The queries' vectors (queries, columns) and their columns: those of their tokens, or all for an encoder."""
    texts = [query_text(network, example) for example in data.examples]
    columns = torch.arange(len(network.idf), device=network.idf.device)
    if network.query is None:
        columns = torch.tensor(sorted({token for text in texts for token in text}), device=network.idf.device)
    batches = [texts[i : i + BATCH] for i in range(0, len(texts), BATCH)]
    return torch.cat([heaviest(network.ask(some, columns), max_active_terms) for some in batches]), columns


def ndcg(hits: list[bool], n_relevant: int) -> float:
    """nDCG of a ranked list of hits with binary relevance (Jarvelin and Kekalainen 2002).

    >>> ndcg([False, True], 1)
    0.6309297535714575
    """
    ideal = sum(1 / math.log2(k + 2) for k in range(min(n_relevant, len(hits))))
    return sum(1 / math.log2(k + 2) for k, hit in enumerate(hits) if hit) / ideal if ideal else 0.0
