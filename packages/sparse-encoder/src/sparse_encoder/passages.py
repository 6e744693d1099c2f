"""Passages and queries as BEIR keeps them, read one line at a time.

What takes PASSAGES takes a BEIR folder, whose `corpus.jsonl` it reads, or a file; what takes QUERIES takes the same
folder and reads its `queries.jsonl`.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from sparse_encoder._files import InputError, read_jsonl
from sparse_encoder.record_lines import line_numbers


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `corpus.jsonl` or `queries.jsonl`: a query is a passage without a title."""

    id: str = msgspec.field(name="_id")
    text: str
    title: str = ""


def passages_file(path: Path, *, queries: bool = False) -> Path:
    """The `corpus.jsonl` of a BEIR folder, with `queries` its `queries.jsonl`, or the file itself."""
    name, what = ("queries.jsonl", "queries") if queries else ("corpus.jsonl", "passages")
    file = path / name if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"{file}: no such file; wanted a folder with {name}, or a JSON Lines file of {what}")
    return file


def read_passages(path: Path, *, queries: bool = False) -> Iterator[Passage]:
    """Yields the passages, or with `queries` the queries, of a BEIR folder or file in order; ids must differ."""
    places: dict[str, int] = {}
    file = passages_file(path, queries=queries)
    for place, passage in enumerate(read_jsonl(file, Passage)):
        first = places.setdefault(passage.id, place)
        if first != place:
            lines = line_numbers(file)
            raise InputError(
                f"{file}:{lines[place]}: _id {passage.id!r} was that of line {lines[first]} too; wanted one line each"
            )
        yield passage


def passage_text(passage: Passage, *, title: bool) -> str:
    """The text that is encoded: the passage, with its title before it if wanted.

    >>> passage_text(Passage(id="1", text="역색인이다.", title="색인"), title=True)
    '색인\\n역색인이다.'
    """
    return f"{passage.title}\n{passage.text}" if title and passage.title else passage.text
