"""Documents: what was collected, one JSON object a line, whole texts with Markdown headings.

The door of the package: whatever passes `read_documents` is complete, dated in one way and unique by id.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import msgspec

from ._files import InputError, read_jsonl

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?=[T ]|$)")


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A document of the format `documents`; what is unknown is "" or, of the date, null."""

    id: str
    """Unique, without spaces (runs and qrels are split at them)."""
    title: str = ""
    text: str
    """Paragraphs parted by blank lines; a line `## ...` is a heading."""
    url: str = ""
    language: str = ""
    """ISO 639-1, such as `ko`."""
    published: str | None = None
    """`YYYY-MM-DD`; a time after it is allowed."""
    source: str = ""

    def __post_init__(self) -> None:
        if not self.id or any(c.isspace() for c in self.id):
            raise ValueError(f"'id': {self.id!r} is empty or holds a space; wanted a name without spaces")
        if self.published is not None:
            _check_date(self.published)


def _check_date(published: str) -> None:
    found = _DATE.match(published)
    try:
        if found is None:
            raise ValueError("no date")
        date.fromisoformat(found.group())
    except ValueError as error:
        raise ValueError(f"'published': {published!r} is not a date; wanted YYYY-MM-DD or null") from error


def read_documents(sources: Iterable[Path]) -> Iterator[Document]:
    """Yields the documents of JSON Lines files (plain or .gz) and of folders of them, in order.

    A folder's files come sorted by name. A document given twice, equal in all fields, comes twice, for deduplication
    to count; one id on two different documents raises InputError, as does a source that holds no document file.
    """
    seen: dict[str, tuple[int, str]] = {}
    for path in _files_of(sources):
        for n_read, document in enumerate(read_jsonl(path, Document), start=1):
            content = hash(document)
            first, place = seen.setdefault(document.id, (content, f"{path}, document {n_read}"))
            if first != content:
                raise InputError(
                    f"{path}: document {n_read} has the id {document.id!r}, which is taken by another one "
                    f"({place}); give each document an id of its own"
                )
            yield document


def _files_of(sources: Iterable[Path]) -> Iterator[Path]:
    for source in sources:
        if not source.is_dir():
            yield source
            continue
        files = sorted(p for p in source.iterdir() if p.name.endswith((".jsonl", ".jsonl.gz")) and p.name[0] != ".")
        if not files:
            raise InputError(f"{source}: holds no *.jsonl or *.jsonl.gz file; name one, or a folder that holds some")
        yield from files
