"""From answered records to query-document pairs: the filters applied, every drop with its reason, all of it counted.

The pairs format is shared with the packages that mine and train; queries keep the numbers that the model gave them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from ._files import InputError, read_jsonl
from .budget import plus
from .filters import Passage, Query, QueryFilters
from .outcomes import Answered, Rejected, Usage
from .records import corpus_of

Split = Literal["train", "val", "test"]
LANGUAGES = {"english": "en", "code_mixed": "mixed"}


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the pairs format."""

    query_id: str
    query: str
    doc_id: str
    kind: str
    language: str
    source: str
    split: Split | msgspec.UnsetType = msgspec.UNSET


class PassageLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a BEIR corpus."""

    id: str = msgspec.field(name="_id")
    text: str
    title: str = ""


class GeneratedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """One query of an answer of the task `queries`, or of any whose answers have this shape."""

    style: str
    query: str


class QueriesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that holds queries."""

    queries: list[GeneratedQuery]


@dataclass(slots=True, kw_only=True)
class Tally:
    """What went in, what came out and why the rest did not."""

    n_answers: int = 0
    n_queries: int = 0
    n_kept: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    generated: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    usage: Usage = Usage()


def read_passages(path: Path) -> dict[str, Passage]:
    """The passages of a BEIR folder or corpus.jsonl by id, in memory."""
    lines = read_jsonl(corpus_of(path), PassageLine)
    return {line.id: Passage(doc_id=line.id, title=line.title, text=line.text) for line in lines}


def read_splits(path: Path) -> dict[str, Split]:
    """Document id -> split, from pairs that carry one; InputError where a document's pairs disagree."""
    splits: dict[str, Split] = {}
    for pair in read_jsonl(path, Pair):
        if isinstance(pair.split, msgspec.UnsetType):
            continue
        if splits.setdefault(document_id(pair.doc_id), pair.split) != pair.split:
            raise InputError(f"{path}: {pair.query_id!r} is in split {pair.split!r}, but its document is in another")
    return splits


def document_id(doc_id: str) -> str:
    """The document that a passage is of.

    >>> document_id("doc-1#0"), document_id("doc-1")
    ('doc-1', 'doc-1')
    """
    return doc_id.rpartition("#")[0] or doc_id


def pairs_of(
    answers: Iterable[Answered],
    passages: Mapping[str, Passage],
    filters: QueryFilters,
    *,
    splits: Mapping[str, Split] | None,
    tally: Tally,
) -> Iterator[Pair | Rejected]:
    """Yields each query as a pair or as a reject, in the order of the answers; counts them in `tally`.

    splits: a document that it lacks is for training; None leaves pairs without a split.
    """
    numbers: Counter[str] = Counter()
    for answer in answers:
        passage = passages.get(answer.record_id)
        if passage is None:
            raise InputError(f"answer {answer.id!r}: there is no passage {answer.record_id!r} in --passages")
        tally.n_answers += 1
        tally.usage = plus(tally.usage, answer.usage)
        for generated in _queries(answer):
            numbers[answer.record_id] += 1
            query = Query(
                query_id=f"{answer.record_id}:synthetic:{numbers[answer.record_id]}",
                style=generated.style,
                text=" ".join(generated.query.split()),
            )
            yield _judged(query, passage, filters, source=f"{answer.task}/{answer.model}", splits=splits, tally=tally)


def _queries(answer: Answered) -> list[GeneratedQuery]:
    try:
        return msgspec.convert(answer.answer, QueriesAnswer).queries
    except msgspec.ValidationError as error:
        raise InputError(f"answer {answer.id!r} of task {answer.task!r} holds no queries: {error}") from error


def _judged(
    query: Query,
    passage: Passage,
    filters: QueryFilters,
    *,
    source: str,
    splits: Mapping[str, Split] | None,
    tally: Tally,
) -> Pair | Rejected:
    tally.n_queries += 1
    tally.generated[query.style] += 1
    reason, detail = filters.objection(query, passage)
    if reason:
        tally.reasons[reason] += 1
        return Rejected(id=query.query_id, record_id=passage.doc_id, reason=reason, detail=detail, text=query.text)
    filters.keep(query)
    tally.n_kept += 1
    tally.kept[query.style] += 1
    return Pair(
        query_id=query.query_id,
        query=query.text,
        doc_id=passage.doc_id,
        kind="synthetic",
        language=LANGUAGES.get(query.style, "ko"),
        source=f"{source}/{query.style}",
        split=msgspec.UNSET if splits is None else splits.get(document_id(passage.doc_id), "train"),
    )
