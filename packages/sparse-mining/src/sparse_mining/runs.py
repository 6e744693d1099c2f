"""TREC runs: what a search found, best first, in the form that every evaluation tool reads.

Scores are written so that reading them back keeps both order and ties.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from sparse_mining._files import InputError, whole


class Hit(NamedTuple):
    """A document found for a query, and how well it matches."""

    doc_id: str
    score: float


Run = Mapping[str, Sequence[Hit]]
"""Hits best-first by query id, in the order of the queries."""


def write_run(path: Path, run: Run, *, tag: str) -> int:
    """Writes a run, whole or not at all, and returns its number of lines; ranks count from 1."""
    n_lines = 0
    with whole(path) as part, part.open("w", encoding="utf-8", newline="\n") as lines:
        for line in run_lines(run, tag):
            lines.write(line + "\n")
            n_lines += 1
    return n_lines


def run_lines(run: Run, tag: str) -> Iterator[str]:
    """Yields `query_id Q0 doc_id rank score tag`.

    >>> list(run_lines({"q-1": [Hit("doc-1#1", 7.5)]}, "bm25"))
    ['q-1 Q0 doc-1#1 1 7.5 bm25']
    """
    for query_id, hits in run.items():
        for rank, hit in enumerate(hits, start=1):
            yield f"{query_id} Q0 {hit.doc_id} {rank} {round(float(hit.score), 9)!r} {tag}"


def read_run(path: Path) -> dict[str, list[Hit]]:
    """Reads a run; hits best-first, ties in the order of the file. InputError names path and line."""
    run: dict[str, list[Hit]] = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                query_id, hit = _parse(line, where=f"{path}:{number}")
                run.setdefault(query_id, []).append(hit)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8: {error}") from error
    for query_id, hits in run.items():
        if len({hit.doc_id for hit in hits}) < len(hits):
            raise InputError(f"{path}: query {query_id!r} has a document twice")
        hits.sort(key=lambda hit: -hit.score)
    return run


def _parse(line: str, where: str) -> tuple[str, Hit]:
    fields = line.split()
    if len(fields) != 6:
        raise InputError(f"{where}: {len(fields)} fields, 6 wanted: query_id Q0 doc_id rank score tag")
    try:
        score = float(fields[4])
    except ValueError as error:
        raise InputError(f"{where}: the score {fields[4]!r} is not a number") from error
    if not math.isfinite(score):
        raise InputError(f"{where}: the score {fields[4]!r} is not finite")
    return fields[0], Hit(fields[2], score)


def by_query(query_ids: Iterable[str], hits: Iterable[Sequence[Hit]]) -> dict[str, Sequence[Hit]]:
    """Puts query ids and their hits together, keeping order.

    >>> by_query(["q-1"], [[Hit("doc-1#1", 7.5)]])
    {'q-1': [Hit(doc_id='doc-1#1', score=7.5)]}
    """
    return dict(zip(query_ids, hits, strict=True))
