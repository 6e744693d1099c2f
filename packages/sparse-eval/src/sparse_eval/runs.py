"""TREC runs and BEIR qrels: what a system found, and what it should have found.

Read strictly, because a line that is skipped in silence changes every measure.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from sparse_eval._files import InputError

Run = Mapping[str, tuple[str, ...]]
"""The doc_ids found for each query_id, best first."""

Qrels = Mapping[str, Mapping[str, int]]
"""The relevance of each judged doc_id for each query_id."""


def read_run(path: Path) -> Run:
    """Reads a TREC run in trec_eval's order: by score, equal scores by doc_id from last to first; ranks are ignored.

    InputError names path and line where a line has not six columns, a score is no number or a document repeats.
    """
    scores: dict[str, dict[str, float]] = {}
    for number, line in _lines(path):
        columns = line.split()
        if len(columns) != 6:
            raise InputError(
                f"{path}:{number}: found {len(columns)} columns: wanted 'query_id Q0 doc_id rank score tag'"
            )
        query_id, doc_id, score = columns[0], columns[2], _score(path, number, columns[4])
        found = scores.setdefault(query_id, {})
        if doc_id in found:
            raise InputError(f"{path}:{number}: {doc_id!r} is there twice for query {query_id!r}: wanted it once")
        found[doc_id] = score
    return {query_id: in_trec_order(found) for query_id, found in scores.items()}


def in_trec_order(scores: Mapping[str, float]) -> tuple[str, ...]:
    """The doc_ids of a query's scores as trec_eval ranks them.

    >>> in_trec_order({"a": 1.0, "c": 2.0, "b": 1.0})
    ('c', 'b', 'a')
    """
    return tuple(sorted(sorted(scores, reverse=True), key=lambda doc_id: -scores[doc_id]))


def read_qrels(path: Path) -> Qrels:
    """Reads BEIR qrels: a header, then `query-id<tab>corpus-id<tab>relevance`.

    InputError names path and line where a line is otherwise, and the file where no query has a relevant passage.
    Queries without any relevant passage are left out: nothing could be found for them.
    """
    qrels: dict[str, dict[str, int]] = {}
    for number, line in _lines(path):
        columns = line.split("\t")
        if number == 1 and columns == ["query-id", "corpus-id", "score"]:
            continue
        if len(columns) != 3 or not columns[2].lstrip("-").isdigit():
            raise InputError(f"{path}:{number}: found {line!r}: wanted 'query-id<tab>corpus-id<tab>whole number'")
        judged = qrels.setdefault(columns[0], {})
        if columns[1] in judged:
            raise InputError(
                f"{path}:{number}: {columns[1]!r} is judged twice for query {columns[0]!r}: wanted it once"
            )
        judged[columns[1]] = int(columns[2])
    judgeable = {query_id: judged for query_id, judged in qrels.items() if max(judged.values()) > 0}
    if not judgeable:
        raise InputError(f"{path}: no query has a relevant passage: wanted at least one relevance above 0")
    return judgeable


def rank_of(run: Run, query_id: str, relevant: Mapping[str, int]) -> int | None:
    """The rank, from 1, of the first relevant document of a query; None where none was found.

    >>> rank_of({"q": ("a", "b")}, "q", {"b": 1}), rank_of({"q": ("a", "b")}, "q", {"c": 1, "a": 0})
    (2, None)
    """
    ranked = enumerate(run.get(query_id, ()), start=1)
    return next((rank for rank, doc_id in ranked if relevant.get(doc_id, 0) > 0), None)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8") as lines:
            yield from ((n, line.rstrip("\r\n")) for n, line in enumerate(lines, start=1) if line.strip())
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def _score(path: Path, number: int, text: str) -> float:
    try:
        score = float(text)
    except ValueError as error:
        raise InputError(f"{path}:{number}: the score is {text!r}: wanted a number") from error
    if score != score:
        raise InputError(f"{path}:{number}: the score is {text!r}: wanted a number that can be ranked")
    return score
