"""Rankings compared: nDCG@10 of a run, and whether two rankings agree.

The measure is here so that a deployment can refuse a worse version by itself; full evaluation is sparse-eval's.
"""

import math
from collections.abc import Mapping, Sequence


def ndcg(scores: Mapping[str, float], relevance: Mapping[str, int], *, k: int = 10) -> float:
    """Normalised discounted cumulative gain of one query: sum of rel / log2(rank + 1), over that of the best order.

    Equal scores are ordered by doc_id. 0 where nothing is relevant. Source: Järvelin and Kekäläinen 2002, linear gain
    as in trec_eval.

    >>> ndcg({"a": 2.0, "b": 1.0}, {"b": 1})
    0.6309297535714575
    """
    ranked = sorted(scores, key=lambda doc_id: (-scores[doc_id], doc_id))[:k]
    gains = [max(relevance.get(doc_id, 0), 0) for doc_id in ranked]
    best = sorted((max(r, 0) for r in relevance.values()), reverse=True)[:k]
    ideal = _discounted(best)
    return _discounted(gains) / ideal if ideal else 0.0


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def mean_ndcg(run: Mapping[str, Mapping[str, float]], qrels: Mapping[str, Mapping[str, int]], *, k: int = 10) -> float:
    """The mean over the judged queries; one that the run lacks counts 0."""
    judged = [q for q, relevance in qrels.items() if any(r > 0 for r in relevance.values())]
    return sum(ndcg(run.get(q, {}), qrels[q], k=k) for q in judged) / len(judged) if judged else 0.0


def same_ranking(ours: Mapping[str, float], theirs: Mapping[str, float], *, k: int, tolerance: float) -> bool:
    """Whether two top `k` are equal but for documents whose scores in `ours` are within `tolerance` relative.

    ours: the scores of every document that may be in either, all above 0. Ties at the cut may fall either way.

    >>> same_ranking({"a": 2.0, "b": 1.0, "c": 1.0}, {"a": 2.0, "c": 1.0}, k=2, tolerance=1e-3)
    True
    >>> same_ranking({"a": 2.0, "b": 1.0}, {"b": 2.0, "a": 1.0}, k=2, tolerance=1e-3)
    False
    >>> same_ranking({"a": 2.0, "b": 1.0}, {"a": 2.0}, k=2, tolerance=1e-3)
    False
    """
    wanted = sorted(ours.values(), reverse=True)[:k]
    found = [ours.get(doc_id, 0.0) for doc_id in sorted(theirs, key=lambda d: -theirs[d])]
    return len(wanted) == len(found) and all(
        math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-9) for a, b in zip(wanted, found, strict=True)
    )
