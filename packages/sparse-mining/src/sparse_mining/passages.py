"""Passages and queries in BEIR form, as this package reads them.

Whatever is searched or mined comes in here once, checked; everything later trusts it and speaks of row numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sparse_mining._files import InputError, read_jsonl


class PassageMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What mining needs of a passage's metadata; the rest is left alone."""

    document_id: str = ""
    """The document it was cut from; empty where the passage's id has to tell."""


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `corpus.jsonl`."""

    id: str = msgspec.field(name="_id")
    title: str = ""
    text: str
    metadata: PassageMetadata = PassageMetadata()

    def document_id(self) -> str:
        """The document it belongs to: its metadata's, else its id up to the last `#`."""
        return self.metadata.document_id or self.id.rpartition("#")[0] or self.id

    def full_text(self) -> str:
        """Title and text, which is what is searched.

        >>> Passage(id="a#0", title="희소 검색", text="역색인").full_text()
        '희소 검색\\n역색인'
        """
        return f"{self.title}\n{self.text}" if self.title else self.text


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `queries.jsonl`."""

    id: str = msgspec.field(name="_id")
    text: str


@dataclass(frozen=True, slots=True)
class Collection:
    """Passages in file order with the row of each id; holds them all in memory."""

    path: Path
    passages: Sequence[Passage]
    rows: dict[str, int]

    def __len__(self) -> int:
        return len(self.passages)

    def ids(self) -> list[str]:
        """The passages' ids by row."""
        return [passage.id for passage in self.passages]

    def full_texts(self) -> list[str]:
        """Title and text by row."""
        return [passage.full_text() for passage in self.passages]


def corpus_path(path: Path) -> Path:
    """The corpus file of a BEIR folder (plain or .gz), or the file itself; InputError where there is none."""
    return _in_folder(path, "corpus.jsonl")


def read_collection(path: Path) -> Collection:
    """Reads a BEIR folder or its corpus file; InputError on a bad line, an id met twice or no passage at all."""
    file = corpus_path(path)
    passages = list(read_jsonl(file, Passage))
    if not passages:
        raise InputError(f"{file}: holds no passage: nothing can be searched")
    rows = {passage.id: row for row, passage in enumerate(passages)}
    if len(rows) < len(passages):
        raise InputError(f"{file}: _id {_first_repeated([p.id for p in passages])!r} is met twice: ids must be unique")
    return Collection(file, passages, rows)


def read_queries(path: Path) -> list[Query]:
    """Reads `queries.jsonl` (or the BEIR folder that holds it); InputError on a bad line, a repeated id or none."""
    file = _in_folder(path, "queries.jsonl")
    queries = list(read_jsonl(file, Query))
    if not queries:
        raise InputError(f"{file}: holds no query")
    ids = [query.id for query in queries]
    if len(set(ids)) < len(ids):
        raise InputError(f"{file}: _id {_first_repeated(ids)!r} is met twice: ids must be unique")
    return queries


def _in_folder(path: Path, name: str) -> Path:
    if not path.is_dir():
        return path
    for file in (path / name, path / f"{name}.gz"):
        if file.is_file():
            return file
    raise InputError(f"{path}: holds no {name}: give a BEIR folder or the file itself")


def _first_repeated(ids: Sequence[str]) -> str:
    seen: set[str] = set()
    return next(i for i in ids if i in seen or seen.add(i))  # type: ignore[func-returns-value]
