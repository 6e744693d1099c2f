"""Exact search by a scan of local vectors: what every answer of the server is compared with.

Vectors stream past all queries at once, so a corpus of any size is scanned in the memory of its best answers.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import heappush, heapreplace

Weights = Mapping[str, float]
"""Decoded token -> weight."""


def scan(
    queries: Sequence[Weights], vectors: Iterable[tuple[str, Weights]], *, k: int, also: Sequence[Collection[str]] = ()
) -> list[dict[str, float]]:
    """For each query the scores of its `k` best documents, and of those in `also` at its place; only scores above 0.

    Which of equal scores is kept at the cut is left open.

    >>> scan([{"검색": 2.0}], [("a", {"검색": 0.5}), ("b", {"검색": 1.0}), ("c", {"희소": 3.0})], k=1)
    [{'b': 2.0}]
    """
    queries_of: dict[str, list[tuple[int, float]]] = {}
    for number, query in enumerate(queries):
        for token, weight in query.items():
            queries_of.setdefault(token, []).append((number, weight))
    best: list[list[tuple[float, str]]] = [[] for _ in queries]
    asked: list[dict[str, float]] = [{} for _ in queries]
    for doc_id, vector in vectors:
        scores: dict[int, float] = {}
        for token, weight in vector.items():
            for number, query_weight in queries_of.get(token, ()):
                scores[number] = scores.get(number, 0.0) + query_weight * weight
        for number, score in scores.items():
            if score <= 0:
                continue
            _keep(best[number], (score, doc_id), k)
            if also and doc_id in also[number]:
                asked[number][doc_id] = score
    return [{doc_id: score for score, doc_id in heap} | more for heap, more in zip(best, asked, strict=True)]


def _keep(heap: list[tuple[float, str]], entry: tuple[float, str], k: int) -> None:
    if len(heap) < k:
        heappush(heap, entry)
    elif entry > heap[0]:
        heapreplace(heap, entry)


def overlap(found: Collection[str], exact: Mapping[str, float], *, k: int = 10) -> float:
    """The share of the exact top `k` that was found; 1 where nothing matches at all.

    >>> overlap(["a", "c"], {"a": 2.0, "b": 1.0})
    0.5
    """
    top = sorted(exact, key=lambda doc_id: (-exact[doc_id], doc_id))[:k]
    return len(set(top) & set(found)) / len(top) if top else 1.0
