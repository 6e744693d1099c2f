"""Passages and queries as BEIR keeps them, read one line at a time.

Everything here that takes PASSAGES takes a BEIR folder, its `corpus.jsonl` or a `queries.jsonl` alike.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from sparse_encoder._files import InputError, read_jsonl


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `corpus.jsonl` or `queries.jsonl`: a query is a passage without a title."""

    id: str = msgspec.field(name="_id")
    text: str
    title: str = ""


def passages_file(path: Path) -> Path:
    """The `corpus.jsonl` of a BEIR folder, or the file itself."""
    file = path / "corpus.jsonl" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"{file}: no such file; wanted a folder with corpus.jsonl, or a JSON Lines file of passages")
    return file


def read_passages(path: Path) -> Iterator[Passage]:
    """Yields the passages of a BEIR folder or file in order; a second passage with an id is refused."""
    seen: set[str] = set()
    file = passages_file(path)
    for passage in read_jsonl(file, Passage):
        if passage.id in seen:
            raise InputError(f"{file}: _id {passage.id!r} occurs twice; wanted one line per passage")
        seen.add(passage.id)
        yield passage


def passage_text(passage: Passage, *, title: bool) -> str:
    """The text that is encoded: the passage, with its title before it if wanted.

    >>> passage_text(Passage(id="1", text="역색인이다.", title="색인"), title=True)
    '색인\\n역색인이다.'
    """
    return f"{passage.title}\n{passage.text}" if title and passage.title else passage.text
