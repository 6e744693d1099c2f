"""Measures what serving costs: latency and throughput of each kind of query, warm and cold, and the bytes of the index.

Times are what a client sees: from the text of a query to the ids of the answer, over HTTP.
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice

import msgspec

from os_deploy.cluster import Cluster, ClusterError, Done
from os_deploy.indices import Record
from os_deploy.searching import Mode, Searcher


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of query at one concurrency."""

    name: str
    """The deployment."""
    mode: str
    """`seismic` where the field is `sparse_vector` and the query sparse."""
    concurrency: int
    warm: bool
    """Cold: the first pass after the index was closed and opened, or its cache cleared, each query once."""
    n_queries: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    per_second: float


class IndexSize(msgspec.Struct, frozen=True, kw_only=True):
    """What an index takes."""

    name: str
    field: str
    n_passages: int
    n_bytes: int


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """All that was measured."""

    format: str = "bench"
    version: int = 1
    k: int
    indices: list[IndexSize]
    rows: list[Measured]
    recommended: str
    """The sparse query with the lowest p99 for one client, warm."""


class _Store(msgspec.Struct, frozen=True):
    size_in_bytes: int


class _Total(msgspec.Struct, frozen=True):
    store: _Store


class _All(msgspec.Struct, frozen=True):
    total: _Total


class _Stats(msgspec.Struct, frozen=True):
    all: _All = msgspec.field(name="_all")


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed (nearest rank).

    >>> [percentile([1.0, 2.0, 3.0, 4.0], share) for share in (0.5, 0.75, 0.99)]
    [2.0, 3.0, 4.0]
    """
    return sorted_values[max(math.ceil(share * len(sorted_values)), 1) - 1]


def modes_of(record: Record) -> list[Mode]:
    """The kinds of query that a deployment can answer."""
    sparse: list[Mode] = ["sparse", "two_phase"] if record.field == "rank_features" else ["sparse"]
    return ["bm25", *sparse, "hybrid", "rrf"]


def measure(
    searcher: Searcher, texts: Sequence[str], *, concurrencies: Sequence[int], n_queries: int, k: int
) -> Iterable[Measured]:
    """Measures every kind of query of a deployment: cold once, then warm at each concurrency with `n_queries`."""
    for mode in modes_of(searcher.record):
        shown = "seismic" if mode == "sparse" and searcher.record.field == "sparse_vector" else mode
        go_cold(searcher.cluster, searcher.record)
        ask = _asker(searcher, mode, k)
        plans = [(1, False, list(texts))]
        plans += [(c, True, list(islice(cycle(texts), n_queries))) for c in concurrencies]
        for concurrency, warm, asked in plans:
            times_ms, took_s = _time(ask, asked, concurrency)
            yield Measured(
                name=searcher.record.name,
                mode=shown,
                concurrency=concurrency,
                warm=warm,
                n_queries=len(asked),
                p50_ms=round(percentile(times_ms, 0.5), 3),
                p95_ms=round(percentile(times_ms, 0.95), 3),
                p99_ms=round(percentile(times_ms, 0.99), 3),
                per_second=round(len(asked) / took_s, 1),
            )


def _asker(searcher: Searcher, mode: Mode, k: int) -> Callable[[str], object]:
    return lambda text: searcher.scores(text, mode=mode, k=k)


def _time(ask: Callable[[str], object], texts: Sequence[str], concurrency: int) -> tuple[list[float], float]:
    """Milliseconds of each query, sorted, and the seconds of all."""

    def timed(text: str) -> float:
        began = time.perf_counter()
        ask(text)
        return (time.perf_counter() - began) * 1000

    began = time.perf_counter()
    with ThreadPoolExecutor(concurrency) as pool:
        times_ms = sorted(pool.map(timed, texts))
    return times_ms, time.perf_counter() - began


def go_cold(cluster: Cluster, record: Record) -> None:
    """Empties what the server keeps of an index in memory.

    A `sparse_vector` index is never closed: OpenSearch 3.6 then keeps its shard locked and cannot open it again
    (SparseIndexEventListener fails on an index without mapper), so its own cache is cleared instead.
    """
    if record.field == "sparse_vector":
        cluster.post(f"/_plugins/_neural/clear_cache/{record.index}", Done)
        cluster.post(f"/{record.index}/_cache/clear", Done)
    else:
        reopen(cluster, record.index)


def reopen(cluster: Cluster, index: str) -> None:
    """Closes and opens an index, which empties what Java keeps of it; the system's file cache is left alone."""
    cluster.post(f"/{index}/_close", Done)
    cluster.post(f"/{index}/_open", Done)
    cluster.ask("GET", f"/_cluster/health/{index}?wait_for_status=yellow&timeout=30s", Done)
    until = time.monotonic() + 30
    while True:  # the shard answers a moment after it is assigned
        try:
            cluster.get(f"/{index}/_count", Done)
        except ClusterError as error:
            if not error.is_passing or time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def index_size(cluster: Cluster, record: Record) -> IndexSize:
    """Bytes of a deployment's index on disk, of primaries and replicas."""
    stats = cluster.get(f"/{record.index}/_stats/store", _Stats)
    return IndexSize(
        name=record.name, field=record.field, n_passages=record.n_passages, n_bytes=stats.all.total.store.size_in_bytes
    )


def make_bench(rows: Sequence[Measured], indices: Sequence[IndexSize], *, k: int) -> Bench:
    """The report: rows as measured, and which sparse query to use."""
    sparse = [r for r in rows if r.warm and r.concurrency == 1 and r.mode in ("sparse", "two_phase", "seismic")]
    best = min(sparse, key=lambda r: r.p99_ms) if sparse else None
    recommended = f"{best.name} {best.mode}" if best else ""
    return Bench(k=k, indices=list(indices), rows=list(rows), recommended=recommended)


def table(bench: Bench) -> list[str]:
    """The report as lines of text."""
    lines = [
        f"{'deployment':<16}{'query':<11}{'clients':>8}{'state':>6}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'per s':>9}"
    ]
    lines += [
        f"{r.name:<16}{r.mode:<11}{r.concurrency:>8}{'warm' if r.warm else 'cold':>6}"
        f"{r.p50_ms:>9.2f}{r.p95_ms:>9.2f}{r.p99_ms:>9.2f}{r.per_second:>9.1f}"
        for r in bench.rows
    ]
    lines += [f"{i.name}: {i.n_passages} passages, {i.n_bytes / 1e6:.1f} MB as {i.field}" for i in bench.indices]
    return [*lines, f"recommended: {bench.recommended}"]
