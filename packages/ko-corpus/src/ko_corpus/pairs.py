"""Pairs: queries that a document's own structure asks, with the passage that answers each.

The training data that costs nothing: titles, headings and first sentences, before any model has written a query.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from ._files import InputError, read_jsonl
from .passages import HEADING_SEPARATOR, Passage
from .sentences import split_sentences
from .splitting import Split

PairKind = Literal["title", "heading", "first_sentence"]
KINDS: tuple[PairKind, ...] = ("title", "heading", "first_sentence")

SENTENCE_CHARS = (10, 200)
"""A first sentence is a query if it has at least and at most so many characters."""

SPECIFIC_WORDS = 4
"""A heading of at least so many words, in one document only, is a query by itself; others need the title before."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A query and a passage that answers it, of the format `pairs`."""

    query_id: str
    """`<passage id>:<kind>`."""
    query: str
    doc_id: str
    """The passage's `_id`."""
    kind: str
    language: str = ""
    source: str = ""
    split: Split = "train"


def parse_kinds(text: str) -> tuple[PairKind, ...]:
    """Reads kinds separated by commas; ValueError names the one that is none.

    >>> parse_kinds("title, heading")
    ('title', 'heading')
    """
    wanted = [part.strip() for part in text.split(",")]
    for name in wanted:
        if name not in KINDS:
            raise ValueError(f"{name!r} is no kind of pair; wanted any of {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in wanted)


def make_pairs(
    passages: Iterable[Passage], *, kinds: Sequence[PairKind] = KINDS, splits: Mapping[str, Split] | None = None
) -> Iterator[Pair]:
    """Yields the pairs of these kinds in the order of the passages; holds all passages in memory.

    title: the document's title asks for its first passage. heading: the heading, after the title unless it is
    specific, asks for its section's first passage. first_sentence: the first of several sentences asks for its
    passage (inverse cloze, Lee et al. 2019, arXiv:1906.00300; the sentence stays in the passage, so that exact words
    keep counting). A query that would ask for two passages is left out, as one of them would be a false negative.

    splits: document id -> split; a document that it lacks is for training.
    """
    held = list(passages)
    generic = _generic_headings(held)
    found = [pair for kind in KINDS if kind in kinds for pair in _pairs_of(held, kind, generic, splits or {})]
    place = {passage.id: number for number, passage in enumerate(held)}
    yield from unambiguous(sorted(found, key=lambda pair: place[pair.doc_id]))


def unambiguous(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Yields, in order, the first pair of each query that asks for one passage alone, in whatever case."""
    askers: dict[str, set[str]] = {}
    for pair in pairs:
        askers.setdefault(pair.query.lower(), set()).add(pair.doc_id)
    written: set[str] = set()
    for pair in pairs:
        query = pair.query.lower()
        if len(askers[query]) == 1 and query not in written:
            written.add(query)
            yield pair


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a line of queries (`text`) or of pairs (`query`)."""

    query: str = ""
    text: str = ""


def read_queries(path: Path) -> Iterator[str]:
    """Yields the query of each line of a BEIR `queries.jsonl` or of a pairs file."""
    for number, asked in enumerate(read_jsonl(path, Asked), start=1):
        query = asked.query or asked.text
        if not query:
            raise InputError(f"{path}: record {number} has neither 'query' nor 'text'")
        yield query


def _pairs_of(
    held: Sequence[Passage], kind: PairKind, generic: frozenset[str], splits: Mapping[str, Split]
) -> Iterator[Pair]:
    section: tuple[str, str] | None = None
    for passage in held:
        previous, section = section, (passage.document_id, passage.metadata.heading)
        is_first = previous is None or previous[0] != section[0]
        query = ""
        if kind == "title" and is_first:
            query = passage.title
        elif kind == "heading" and section[1] and previous != section:
            query = heading_query(passage.title, passage.metadata.heading, generic=generic)
        elif kind == "first_sentence":
            query = _first_sentence(passage.text)
        if query:
            yield Pair(
                query_id=f"{passage.id}:{kind}",
                query=query,
                doc_id=passage.id,
                kind=kind,
                language=passage.metadata.language,
                source=passage.metadata.source,
                split=splits.get(passage.document_id, "train"),
            )


def heading_query(title: str, heading: str, *, generic: frozenset[str] = frozenset()) -> str:
    """The innermost heading alone if it is specific, otherwise after the title (or the headings around it).

    >>> heading_query("희소 검색", "색인"), heading_query("희소 검색", "색인 > 역색인을 압축하는 세 가지 방법")
    ('희소 검색 색인', '역색인을 압축하는 세 가지 방법')
    """
    around, _, innermost = heading.rpartition(HEADING_SEPARATOR)
    if innermost.lower() == title.lower():
        return title
    if innermost.lower() not in generic and len(innermost.split()) >= SPECIFIC_WORDS:
        return innermost
    return " ".join(part for part in (title or around.replace(HEADING_SEPARATOR, " "), innermost) if part)


def _generic_headings(held: Sequence[Passage]) -> frozenset[str]:
    """Innermost headings that more than one document has."""
    n_documents = documents_by_heading(
        (p.metadata.heading.rpartition(HEADING_SEPARATOR)[2], p.document_id) for p in held
    )
    return frozenset(heading for heading, n in n_documents.items() if n > 1)


def documents_by_heading(headings: Iterable[tuple[str, str]]) -> Counter[str]:
    """How many documents have each heading, in lower case; headings: (heading, document id), repeats allowed.

    >>> documents_by_heading([("Notes", "a"), ("notes", "b"), ("Notes", "a")])
    Counter({'notes': 2})
    """
    return Counter(heading for heading, _ in {(heading.lower(), document_id) for heading, document_id in headings})


def _first_sentence(text: str) -> str:
    """The first sentence on one line, or "" where it is all there is, too short or too long."""
    sentences = split_sentences(text)
    least, most = SENTENCE_CHARS
    return " ".join(sentences[0].split()) if len(sentences) > 1 and least <= len(sentences[0]) <= most else ""
