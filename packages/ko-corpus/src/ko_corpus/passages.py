"""Passages: the pieces that are searched for, in BEIR's `corpus.jsonl`.

The folder that every other package starts from; its ids are those of pairs, runs, qrels and vectors.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from ._files import InputError, _refuse_newer, read_jsonl

HEADING_SEPARATOR = " > "
"""Between the headings of a path, outermost first."""


class PassageMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """Where a passage comes from."""

    document_id: str = ""
    heading: str = ""
    """The path of headings that it stands under, or "" before the first."""
    language: str = ""
    published: str | None = None
    source: str = ""


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A passage of the format `passages`."""

    id: str = msgspec.field(name="_id")
    """`<document id>#<k>`, k from 0."""
    title: str = ""
    text: str
    metadata: PassageMetadata = PassageMetadata()

    @property
    def document_id(self) -> str:
        """The document that it is a piece of; in corpora of others, what is before the last `#` of its id."""
        return self.metadata.document_id or self.id.rpartition("#")[0] or self.id

    @property
    def contents(self) -> str:
        """Title and text, as they are searched."""
        return f"{self.title}\n{self.text}" if self.title else self.text


def corpus_path(passages: Path) -> Path:
    """The `corpus.jsonl` of a BEIR folder, or the file itself where one is given."""
    if passages.is_dir():
        _refuse_newer(passages)
        path = passages / "corpus.jsonl"
        if not path.is_file():
            raise InputError(f"{passages}: holds no corpus.jsonl; make it with `ko-corpus chunk`")
        return path
    return passages


def read_passages(passages: Path) -> Iterator[Passage]:
    """Yields the passages of a BEIR folder or of its `corpus.jsonl`, in order; InputError where an id comes twice."""
    path = corpus_path(passages)
    seen: set[str] = set()
    for passage in read_jsonl(path, Passage):
        if passage.id in seen:
            raise InputError(f"{path}: the id {passage.id!r} comes twice; give each passage an id of its own")
        seen.add(passage.id)
        yield passage
