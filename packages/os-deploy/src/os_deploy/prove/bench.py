"""Measures what serving costs and what it finds: latency, throughput and bytes, nDCG@10 and the exact top 10.

Times are what a client sees: from the text of a query to the ids of the answer, over HTTP.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice

import msgspec

from os_deploy.cluster import Cluster, ClusterError, Done
from os_deploy.indices import Record
from os_deploy.passages import Query
from os_deploy.prove.exact import overlap
from os_deploy.prove.ranking import mean_ndcg
from os_deploy.searching import PARTS, Mode, Searcher

MAX_LOSS = 0.005
"""The nDCG@10 that a recommended query may lose against exact search."""
MIN_OVERLAP = 0.95
"""The share of the exact top 10 that it must find, where nothing is judged."""
CLEARLY_FASTER = 0.8
"""Of exact search's p99: above this, exact search is recommended all the same."""


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
    ingest_s: float = 0.0
    """Seconds that sending took; 0 where it was done in several runs."""
    merge_s: float = 0.0


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of query finds."""

    name: str
    mode: str
    n_queries: int
    ndcg: float | None
    """nDCG@10 over the judged queries; null without judgements."""
    exact: str
    """The deployment whose exact sparse search it is compared with; empty where there is none."""
    overlap: float | None
    """Share of that search's top 10 that it finds, mean over queries; null for queries that are not sparse."""
    loss: float | None
    """nDCG@10 below that search's."""


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """All that was measured."""

    format: str = "bench"
    version: int = 1
    k: int
    indices: list[IndexSize]
    rows: list[Measured]
    quality: list[Quality] = []
    recommended: str
    """The sparse query to use: the lowest p99 for one client, warm, of those that lose next to nothing."""
    why: str = ""
    """What that recommendation rests on."""


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


def modes_of(searcher: Searcher) -> list[Mode]:
    """The kinds of query that a deployment can answer."""
    record = searcher.record
    has_dense = record.dense_dimensions > 0 and searcher.embeddings is not None
    modes: list[Mode] = [mode for mode, parts in PARTS.items() if has_dense or "dense" not in parts]
    return [mode for mode in modes if mode != "two_phase" or record.field == "rank_features"]


def shown_mode(record: Record, mode: Mode) -> str:
    """The mode as a report names it: `seismic` for sparse queries of a `sparse_vector` field."""
    return "seismic" if mode == "sparse" and record.field == "sparse_vector" else mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is asked of each kind of query."""

    concurrencies: Sequence[int]
    """How many clients ask at once, one measurement each."""
    n_queries: int
    max_s: float
    """Seconds of one measurement after which no more queries begin."""
    k: int


def measure(searcher: Searcher, texts: Sequence[str], effort: Effort) -> Iterable[Measured]:
    """Measures every kind of query of a deployment: cold once, then warm at each concurrency."""
    for mode in modes_of(searcher):
        go_cold(searcher.cluster, searcher.record)
        ask = _asker(searcher, mode, effort.k)
        plans = [(1, False, list(texts[: effort.n_queries]))]
        plans += [(c, True, list(islice(cycle(texts), effort.n_queries))) for c in effort.concurrencies]
        for concurrency, warm, asked in plans:
            times_ms, took_s = time_queries(ask, asked, concurrency, max_s=effort.max_s)
            yield Measured(
                name=searcher.record.name,
                mode=shown_mode(searcher.record, mode),
                concurrency=concurrency,
                warm=warm,
                n_queries=len(times_ms),
                p50_ms=round(percentile(times_ms, 0.5), 3),
                p95_ms=round(percentile(times_ms, 0.95), 3),
                p99_ms=round(percentile(times_ms, 0.99), 3),
                per_second=round(len(times_ms) / took_s, 1),
            )


def judge(
    searchers: Sequence[Searcher], queries: Sequence[Query], qrels: Mapping[str, Mapping[str, int]] | None
) -> Iterable[Quality]:
    """What every kind of query finds, asked once each; `sparse` of a `rank_features` field is what is exact.

    A deployment is compared with the first exact one of as many passages and the same query tokenizer, itself before
    others. Without judgements, queries that are not sparse are compared with nothing, and not asked.
    """
    runs = {
        (searcher.record.name, mode): {q.query_id: searcher.scores(q.text, mode=mode) for q in queries}
        for searcher in searchers
        for mode in modes_of(searcher)
        if qrels is not None or PARTS[mode] == ("sparse",)
    }
    for searcher in searchers:
        exact = _exact_for(searcher.record, [s.record for s in searchers])
        for mode in modes_of(searcher):
            run, best = runs.get((searcher.record.name, mode), {}), runs.get((exact, "sparse"))
            ndcg = None if qrels is None else round(mean_ndcg(run, qrels), 4)
            compared = best is not None and PARTS[mode] == ("sparse",)
            yield Quality(
                name=searcher.record.name,
                mode=shown_mode(searcher.record, mode),
                n_queries=len(queries),
                ndcg=ndcg,
                exact=exact,
                overlap=round(_mean_overlap(run, best), 4) if compared and best else None,
                loss=round(mean_ndcg(best, qrels) - mean_ndcg(run, qrels), 4) if compared and best and qrels else None,
            )


def _exact_for(record: Record, others: Sequence[Record]) -> str:
    exact = [
        other.name
        for other in [record, *others]
        if other.field == "rank_features"
        and (other.n_passages, other.tokenizer_sha256) == (record.n_passages, record.tokenizer_sha256)
    ]
    return exact[0] if exact else ""


def _mean_overlap(run: Mapping[str, Mapping[str, float]], exact: Mapping[str, Mapping[str, float]]) -> float:
    return sum(overlap(run[query_id], exact[query_id]) for query_id in run) / max(len(run), 1)


def _asker(searcher: Searcher, mode: Mode, k: int) -> Callable[[str], object]:
    return lambda text: searcher.scores(text, mode=mode, k=k)


def time_queries(
    ask: Callable[[str], object], texts: Sequence[str], concurrency: int, *, max_s: float
) -> tuple[list[float], float]:
    """Milliseconds of each query that was begun within `max_s`, sorted, and the seconds of all; the first always is."""
    began_all = time.perf_counter()

    def timed(place: int, text: str) -> float | None:
        began = time.perf_counter()
        if place and began - began_all > max_s:
            return None
        ask(text)
        return (time.perf_counter() - began) * 1000

    with ThreadPoolExecutor(concurrency) as pool:
        found = pool.map(timed, range(len(texts)), texts)
        times_ms = sorted(ms for ms in found if ms is not None)
    return times_ms, time.perf_counter() - began_all


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
        name=record.name,
        field=record.field,
        n_passages=record.n_passages,
        n_bytes=stats.all.total.store.size_in_bytes,
        ingest_s=record.ingest_s,
        merge_s=record.merge_s,
    )


def make_bench(rows: Sequence[Measured], indices: Sequence[IndexSize], quality: Sequence[Quality], *, k: int) -> Bench:
    """The report: what was measured, and which sparse query to use."""
    best, why = recommend(rows, quality)
    return Bench(k=k, indices=list(indices), rows=list(rows), quality=list(quality), recommended=best, why=why)


def recommend(rows: Sequence[Measured], quality: Sequence[Quality]) -> tuple[str, str]:
    """The sparse query to use, and why: exact, unless another is clearly faster at p99 and loses next to nothing.

    Compared warm, at the fewest clients measured; an approximate query of which no loss is known is never recommended.
    """
    found = {(q.name, q.mode): q for q in quality}
    fewest = min((r.concurrency for r in rows if r.warm), default=1)
    warm = {(r.name, r.mode): r for r in rows if r.warm and r.concurrency == fewest}
    exact = [r for (_, mode), r in warm.items() if mode == "sparse"]
    quick = [
        r for key, r in warm.items() if key[1] in ("two_phase", "seismic") and key in found and _is_near(found[key])
    ]
    if not exact and not quick:
        return "", "no sparse query was measured, or none whose loss is known and small"
    best = min(exact or quick, key=lambda r: r.p99_ms)
    faster = [r for r in quick if r.p99_ms <= CLEARLY_FASTER * best.p99_ms]
    chosen = min(faster, key=lambda r: r.p99_ms) if exact and faster else best
    times = f"p50 {chosen.p50_ms:.1f} ms, p99 {chosen.p99_ms:.1f} ms for {_clients(fewest)}"
    return f"{chosen.name} {chosen.mode}", f"{times}; {_worth(found.get((chosen.name, chosen.mode)))}"


def _clients(n: int) -> str:
    return "one client" if n == 1 else f"{n} clients"


def _is_near(quality: Quality) -> bool:
    if quality.loss is not None:
        return quality.loss <= MAX_LOSS
    return quality.overlap is not None and quality.overlap >= MIN_OVERLAP


def _worth(quality: Quality | None) -> str:
    if quality is None or quality.mode == "sparse":
        return "exact"
    loss = "" if quality.loss is None else f", nDCG@10 {0 - quality.loss:+.4f}"
    return f"{quality.overlap or 0:.1%} of the exact top 10{loss}"
