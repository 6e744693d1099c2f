"""Searching: all queries of a file through searchers, with the time it took, into runs.

Kept apart from the command line so that a notebook can do the same in two lines.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sparse_mining import fusion
from sparse_mining._files import Manifest, Output, write_json
from sparse_mining.options import PACKAGE, package_version
from sparse_mining.passages import Collection, Query, read_collection, read_queries
from sparse_mining.ranking import Ranking
from sparse_mining.runs import Hit, by_query, read_run, write_run
from sparse_mining.searchers import Choices, Searcher, inputs_of, searcher
from sparse_mining.systems import Fused, System
from sparse_mining.terms import Analyses


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
    """What each query found, in the order of the queries, and what it cost."""

    rankings: Sequence[Ranking]
    timing: Timing

    def run(self, queries: Sequence[Query], doc_ids: Sequence[str]) -> dict[str, Sequence[Hit]]:
        """As a run; `doc_ids` by row."""
        hits = (
            [Hit(doc_ids[row], score) for row, score in zip(r.docs.tolist(), r.scores.tolist(), strict=True)]
            for r in self.rankings
        )
        return by_query((query.id for query in queries), hits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one command asks for."""

    passages: Path
    queries: Path
    k: int
    """Documents per query."""
    choices: Choices
    how: fusion.How = "rrf"
    """Of fused runs."""


def search(queries: Sequence[Query], searcher: Searcher, *, collection: Collection, k: int, system: str) -> Found:
    """Searches for all queries at once; the first one's start-up costs (loading a model) are not counted."""
    searcher.ask(queries[:1]).best(k)
    started = time.perf_counter()
    asked = searcher.ask(queries)
    analysed = time.perf_counter()
    rankings = asked.best(k)
    ended = time.perf_counter()
    per_query = 1000 / len(queries)
    return Found(
        rankings,
        Timing(
            system=system,
            n_queries=len(queries),
            n_documents=len(collection),
            query_ms=round((ended - started) * per_query, 4),
            analysis_ms=round((analysed - started) * per_query, 4),
            search_ms=round((ended - analysed) * per_query, 4),
        ),
    )


def write_runs(request: Request, systems: Sequence[System], fused: Sequence[Fused] = ()) -> Iterator[str]:
    """Searches by each system, then writes every run and timing; yields a line of what each came to.

    Nothing is written before all have searched, so that a bad input leaves earlier runs as they were.
    """
    started = time.time()
    analyses = Analyses(read_collection(request.passages))
    queries = read_queries(request.queries)
    k, collection = request.k, analyses.collection
    found = [
        search(queries, searcher(system.spec, analyses, request.choices), collection=collection, k=k, system=system.tag)
        for system in systems
    ]
    doc_ids = collection.ids()
    counts = {"n_queries": len(queries), "n_documents": len(collection)}
    for system, result in zip(systems, found, strict=True):
        n_lines = write_run(system.run, result.run(queries, doc_ids), tag=system.tag)
        if system.timing is not None:
            write_json(system.timing, result.timing)
        _write_manifest(request, system, collection.path, counts={**counts, "n_lines": n_lines}, started=started)
        yield f"{system.run}: {n_lines} documents, {result.timing.query_ms:.3f} ms a query"
    for made in fused:
        write_fused(made.parts, made.run, how=request.how, weights=None, k=k, tag=made.tag)
        yield f"{made.run}: {' + '.join(part.stem for part in made.parts)}"


def write_fused(
    runs: Sequence[Path], output: Path, *, how: fusion.How, weights: Sequence[float] | None, k: int, tag: str
) -> None:
    """Fuses run files into one, with its manifest; equal weights unless given."""
    started = time.time()
    shares = list(weights) if weights is not None else [1 / len(runs)] * len(runs)
    fused = fusion.fuse([read_run(run) for run in runs], how, weights=shares, k=k)
    n_lines = write_run(output, fused, tag=tag)
    Manifest(
        package=PACKAGE,
        package_version=package_version(),
        parameters={"how": how, "weights": shares, "k": k},
        inputs=list(runs),
        outputs=[Output(path=output, format="run", n_records=n_lines)],
        counts={"n_queries": len(fused)},
        started=started,
    ).write()


def _write_manifest(
    request: Request, system: System, corpus: Path, *, counts: Mapping[str, int], started: float
) -> None:
    choices, settings = request.choices, request.choices.settings
    Manifest(
        package=PACKAGE,
        package_version=package_version(),
        parameters={
            "with": system.spec,
            "k": request.k,
            "variant": settings.variant,
            "k1": settings.k1,
            "b": settings.b,
            "repeats": choices.repeats,
            "dimensions": choices.dimensions,
        },
        seed=choices.seed,
        inputs=[corpus, request.queries, *inputs_of(system.spec, choices)],
        outputs=[Output(path=system.run, format="run", n_records=counts["n_lines"])],
        counts={name: n for name, n in counts.items() if name != "n_lines"},
        started=started,
    ).write()
