"""Passages, queries and judgements of a BEIR folder, and TREC runs.

They come from any tool that writes BEIR; what is read here is what goes into an index or is asked of it.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from os_deploy._files import InputError, read_jsonl, whole


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `corpus.jsonl`."""

    doc_id: str = msgspec.field(name="_id")
    title: str = ""
    text: str
    metadata: dict[str, object] = {}

    def encoded(self, *, title: bool) -> str:
        """What a model reads of it: the text, with the title on a line before it if wanted, as `sparse-encoder` does.

        >>> Passage(doc_id="a", title="색인", text="역색인이다.").encoded(title=True)
        '색인\\n역색인이다.'
        """
        return f"{self.title}\n{self.text}" if title and self.title else self.text


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `queries.jsonl`."""

    query_id: str = msgspec.field(name="_id")
    text: str
    metadata: dict[str, object] = {}


Run = Mapping[str, Mapping[str, float]]
"""query_id -> doc_id -> score."""


def corpus_file(passages: Path) -> Path:
    """The `corpus.jsonl` of a BEIR folder; a file is taken as it is."""
    return passages / "corpus.jsonl" if passages.is_dir() else passages


def read_passages(passages: Path) -> Iterator[Passage]:
    """The passages of a BEIR folder in order; InputError names the line of one without an id."""
    path = corpus_file(passages)
    for number, passage in enumerate(read_jsonl(path, Passage), start=1):
        if not passage.doc_id or len(passage.doc_id.encode()) > 512:
            found = "an empty _id" if not passage.doc_id else f"an _id of {len(passage.doc_id.encode())} bytes"
            raise InputError(f"{path}: passage {number}: found {found}, wanted 1 to 512 bytes")
        yield passage


def read_queries(path: Path) -> list[Query]:
    """The queries of a file in order."""
    return list(read_jsonl(path, Query))


def titles(passages: Iterable[Passage]) -> list[str]:
    """Queries out of passages: each title once, or the first words of a text without one.

    >>> titles([Passage(doc_id="a", title="검색", text="x"), Passage(doc_id="b", title="검색", text="y")])
    ['검색']
    """
    texts = (passage.title.strip() or passage.text[:40].strip() for passage in passages)
    return list(dict.fromkeys(text for text in texts if text))


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Judgements of a BEIR `qrels/*.tsv`: query_id -> doc_id -> relevance."""
    qrels: dict[str, dict[str, int]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    for number, line in enumerate(lines, start=1):
        fields = line.split("\t")
        if number == 1 and fields[0] == "query-id":
            continue
        if len(fields) != 3 or not fields[2].lstrip("-").isdecimal():
            raise InputError(
                f"{path}:{number}: found {line!r}, wanted query-id, corpus-id and a whole score between tabs"
            )
        qrels.setdefault(fields[0], {})[fields[1]] = int(fields[2])
    return qrels


def write_run(path: Path, run: Run, *, name: str) -> None:
    """Writes a TREC run: queries in their order, documents best first, equal scores by doc_id."""
    with whole(path) as part, part.open("w", encoding="utf-8", newline="\n") as lines:
        lines.writelines(run_lines(run, name=name))


def run_lines(run: Run, *, name: str) -> Iterable[str]:
    """The lines of a TREC run.

    >>> list(run_lines({"q-1": {"doc-1#0": 3.25, "doc-1#1": 7.5}}, name="bm25"))
    ['q-1 Q0 doc-1#1 1 7.5 bm25\\n', 'q-1 Q0 doc-1#0 2 3.25 bm25\\n']
    """
    for query_id, scores in run.items():
        best_first = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
        for rank, (doc_id, score) in enumerate(best_first, start=1):
            yield f"{query_id} Q0 {doc_id} {rank} {score!r} {name}\n"


def read_run(path: Path) -> dict[str, dict[str, float]]:
    """Reads a TREC run."""
    run: dict[str, dict[str, float]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fields = line.split()
        if len(fields) != 6:
            raise InputError(
                f"{path}:{number}: found {len(fields)} fields, wanted 6: query Q0 document rank score name"
            )
        run.setdefault(fields[0], {})[fields[2]] = float(fields[4])
    return run
