"""From answers of `paraphrase`, `documents` and `hard_negatives` to pairs and passages with ids of their own.

What is generated stands beside the corpus and never in the place of a real passage; what is not fit is a reject.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from ._files import InputError, read_jsonl
from .filters import POINTS_AT_TEXT, Bounds, wrong_length
from .near import NearTexts
from .outcomes import Answered, Rejected
from .pairs import Pair
from .scripts import hangul_share, shingles, squeezed

T = TypeVar("T")

MIN_HANGUL = 0.5
"""Share of Hangul among a passage's letters; terms in brackets are Latin."""
MAX_LIKE_POSITIVE = 0.5
"""Jaccard similarity of character trigrams from which a negative repeats the positive."""
NEAR = 0.8
BOUNDS = Bounds()
"""Of a rewording's length: the same as of a query's."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a passage comes from."""

    document_id: str
    heading: str = ""
    language: str = "ko"
    published: None = None
    source: str


class NewPassage(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the passages format, of a passage that a model wrote."""

    id: str = msgspec.field(name="_id")
    title: str
    text: str
    metadata: Origin


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a line of the groups format."""

    q_id: str
    query: str
    docs: list[str]


class _Paraphrase(msgspec.Struct, frozen=True, kw_only=True):
    way: str
    query: str


class _Paraphrases(msgspec.Struct, frozen=True, kw_only=True):
    paraphrases: list[_Paraphrase]


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    text: str


class _Negative(msgspec.Struct, frozen=True, kw_only=True):
    reason: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A generated passage, and the pair it makes where it answers its query."""

    passage: NewPassage
    pair: Pair | None


def read_pairs(path: Path) -> dict[str, Pair]:
    """The pairs by query id, in memory."""
    return {pair.query_id: pair for pair in read_jsonl(path, Pair)}


def read_groups(path: Path) -> dict[str, Group]:
    """The training groups by query id, in memory."""
    return {group.q_id: group for group in read_jsonl(path, Group)}


def paraphrased(answers: Iterable[Answered], pairs: Mapping[str, Pair]) -> Iterator[Pair | Rejected]:
    """Yields each rewording as a pair with the original's passage and split, or as a reject, in order.

    A rewording that equals its query or an earlier one of the same query is a reject.
    """
    for answer in answers:
        pair = _source(pairs, answer)
        seen = {squeezed(pair.query)}
        for number, found in enumerate(_held(answer, _Paraphrases).paraphrases, start=1):
            query = " ".join(found.query.split())
            query_id = f"{_new_id(answer, 'paraphrase')}.{number}"
            language = "mixed" if found.way == "code_mixed" else pair.language
            if detail := wrong_length(query, BOUNDS, is_english=language == "en"):
                yield _reject(query_id, answer, "length", detail, query)
            elif squeezed(query) in seen:
                yield _reject(query_id, answer, "duplicate", "equal to its query or to an earlier one of it", query)
            else:
                seen.add(squeezed(query))
                yield msgspec.structs.replace(
                    pair,
                    query_id=query_id,
                    query=query,
                    kind="paraphrase",
                    language=language,
                    source=f"{answer.task}/{answer.model}/{found.way}",
                )


def documents(answers: Iterable[Answered], pairs: Mapping[str, Pair]) -> Iterator[Written | Rejected]:
    """Yields each passage written for a query, with its pair, or a reject, in order."""
    near = NearTexts(NEAR)
    for answer in answers:
        pair, found = _source(pairs, answer), _held(answer, _Document)
        name = _new_id(answer, "document")
        if reject := _unfit(name, answer, found.text, near):
            yield reject
            continue
        passage = _passage(name, answer, title=found.title, text=found.text)
        made = msgspec.structs.replace(
            pair, query_id=name, doc_id=passage.id, kind="synthetic", source=passage.metadata.source
        )
        yield Written(passage=passage, pair=made)


def hard_negatives(answers: Iterable[Answered], groups: Mapping[str, Group]) -> Iterator[Written | Rejected]:
    """Yields each passage that is close to a query and does not answer it, or a reject, in order."""
    near = NearTexts(NEAR)
    for answer in answers:
        group, found = _source(groups, answer), _held(answer, _Negative)
        name = _new_id(answer, "negative")
        like = max((_similarity(found.text, text) for text in group.docs[:1]), default=0.0)
        if like >= MAX_LIKE_POSITIVE:
            yield _reject(name, answer, "copied", f"similarity {like:.2f} to the positive", found.text)
        elif reject := _unfit(name, answer, found.text, near):
            yield reject
        else:
            yield Written(passage=_passage(name, answer, title="", text=found.text), pair=None)


def _unfit(name: str, answer: Answered, text: str, near: NearTexts) -> Rejected | None:
    """The reject of a text that is no passage of its own; takes note of one that is."""
    pointer = POINTS_AT_TEXT.search(text)
    if pointer:
        return _reject(name, answer, "points_at_text", f"{pointer[0]!r} points at the text itself", text)
    if (share := hangul_share(text)) < MIN_HANGUL:
        return _reject(name, answer, "script", f"share of Hangul {share:.2f}, wanted {MIN_HANGUL}", text)
    if like := near.find(text):
        return _reject(name, answer, "near_duplicate", f"nearly equal to {like[0]}", text)
    near.add(name, text)
    return None


def _passage(name: str, answer: Answered, *, title: str, text: str) -> NewPassage:
    origin = Origin(document_id=name, source=f"{answer.task}/{answer.model}")
    return NewPassage(id=f"{name}#0", title=" ".join(title.split()), text=text.strip(), metadata=origin)


def _new_id(answer: Answered, kind: str) -> str:
    number = answer.id.rpartition("#")[2]
    return f"{answer.record_id}:{kind}:{number}"


def _reject(name: str, answer: Answered, reason: str, detail: str, text: str) -> Rejected:
    return Rejected(id=name, record_id=answer.record_id, reason=reason, detail=detail, text=text)


def _similarity(one: str, other: str) -> float:
    ours, theirs = shingles(one), shingles(other)
    return len(ours & theirs) / len(ours | theirs)


def _source(records: Mapping[str, T], answer: Answered) -> T:
    found = records.get(answer.record_id)
    if found is None:
        raise InputError(f"answer {answer.id!r}: there is no record {answer.record_id!r} in --source")
    return found


def _held(answer: Answered, kind: type[T]) -> T:
    try:
        return msgspec.convert(answer.answer, kind)
    except msgspec.ValidationError as error:
        raise InputError(f"answer {answer.id!r} of task {answer.task!r} holds something else: {error}") from error
