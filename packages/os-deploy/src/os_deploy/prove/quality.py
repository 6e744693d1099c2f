"""Runs a file of queries through OpenSearch into a TREC run, with what each query cost.

The run is judged by any evaluation tool; that it is the server's own answer is the point.
"""

import time
from collections.abc import Sequence

import msgspec

from os_deploy.passages import Query
from os_deploy.searching import Mode, Searcher


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """`timing.json`: what a search cost on the machine it ran on."""

    format: str = "timing"
    version: int = 1
    system: str
    n_queries: int
    n_documents: int
    query_ms: float
    """Mean per query as the client sees it, one after the other."""
    analysis_ms: float
    """0: the server's analysis is in its search."""
    search_ms: float


def run_queries(
    searcher: Searcher, queries: Sequence[Query], *, mode: Mode, k: int
) -> tuple[dict[str, dict[str, float]], Timing]:
    """The best `k` of each query, and the mean time; the first query is asked twice, so that no start-up counts."""
    if queries:
        searcher.scores(queries[0].text, mode=mode, k=k)
    began = time.perf_counter()
    run = {query.query_id: searcher.scores(query.text, mode=mode, k=k) for query in queries}
    mean_ms = (time.perf_counter() - began) * 1000 / max(len(queries), 1)
    timing = Timing(
        system=mode,
        n_queries=len(queries),
        n_documents=searcher.record.n_passages,
        query_ms=mean_ms,
        analysis_ms=0.0,
        search_ms=mean_ms,
    )
    return run, timing
