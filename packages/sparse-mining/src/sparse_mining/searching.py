"""Searching: all queries of a file through one searcher, with the time it took.

Kept apart from the command line so that a notebook can do the same in two lines.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sparse_mining.passages import Collection, Query
from sparse_mining.runs import Hit, by_query
from sparse_mining.searchers import Searcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """`timing.json`: what a search cost on the machine it ran on."""

    format: str = "timing"
    version: int = 1
    system: str
    n_queries: int
    n_documents: int
    query_ms: float
    """Mean per query, of analysing or encoding it and of searching."""
    analysis_ms: float
    search_ms: float


@dataclass(frozen=True, slots=True)
class Found:
    """A run and what it cost."""

    run: dict[str, Sequence[Hit]]
    timing: Timing


def search(queries: Sequence[Query], searcher: Searcher, *, collection: Collection, k: int, system: str) -> Found:
    """Searches for all queries at once; the first one's start-up costs (loading a model) are not counted."""
    searcher.ask(queries[:1]).best(k)
    started = time.perf_counter()
    asked = searcher.ask(queries)
    analysed = time.perf_counter()
    rankings = asked.best(k)
    ended = time.perf_counter()
    ids = collection.ids()
    hits = (
        [Hit(ids[row], score) for row, score in zip(r.docs.tolist(), r.scores.tolist(), strict=True)] for r in rankings
    )
    per_query = 1000 / len(queries)
    return Found(
        by_query((query.id for query in queries), hits),
        Timing(
            system=system,
            n_queries=len(queries),
            n_documents=len(collection),
            query_ms=round((ended - started) * per_query, 4),
            analysis_ms=round((analysed - started) * per_query, 4),
            search_ms=round((ended - analysed) * per_query, 4),
        ),
    )
