"""Answers: records that hold a query and the text that answers it, under names of their own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ._files import InputError, read_jsonl
from .cleaning import clean_line, clean_text, guess_language
from .pairs import Pair
from .passages import Passage, PassageMetadata
from .splitting import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Which field of a record is what."""

    query: str = "query"
    text: str = "text"
    title: str = "title"
    id: str = "id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A query and its text, cleaned."""

    id: str
    query: str
    title: str
    text: str


def read_answers(path: Path, fields: Fields, *, prefix: str) -> Iterator[Answer]:
    """Yields the records that have both; InputError names a record without one of the two fields.

    A record without an id gets its number. prefix: before every id, so that sources do not meet in one.
    """
    for number, record in enumerate(read_jsonl(path, dict[str, object]), start=1):
        for wanted in (fields.query, fields.text):
            if not isinstance(record.get(wanted), str):
                has = ", ".join(sorted(record))
                raise InputError(f"{path}: record {number} has no text {wanted!r}; it has {has}")
        query, text = clean_line(str(record[fields.query])), clean_text(str(record[fields.text]))
        if query and text:
            name = "".join(str(record.get(fields.id, number)).split())
            yield Answer(
                id=f"{prefix}{name}", query=query, title=clean_line(str(record.get(fields.title, ""))), text=text
            )


def answer_passage(answer: Answer, *, source: str) -> Passage:
    """The text as a passage, whole."""
    return Passage(
        id=f"{answer.id}#0",
        title=answer.title,
        text=answer.text,
        metadata=PassageMetadata(document_id=answer.id, language=guess_language(answer.text), source=source),
    )


def answer_pair(answer: Answer, *, source: str, splits: Mapping[str, Split]) -> Pair:
    """The query with the passage that answers it."""
    return Pair(
        query_id=f"{answer.id}#0:question",
        query=answer.query,
        doc_id=f"{answer.id}#0",
        kind="question",
        language=guess_language(answer.query),
        source=source,
        split=splits.get(answer.id, "train"),
    )
