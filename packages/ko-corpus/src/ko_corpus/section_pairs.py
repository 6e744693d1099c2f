"""Section pairs: the sections of documents with their headings in Korean and in English, as translated manuals have.

A heading asks for its section in either language, which is training data for search across the two for nothing.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from ._files import read_jsonl
from .cleaning import clean_line, clean_text, guess_language
from .documents import Document
from .pairs import Pair, documents_by_heading, unambiguous
from .passages import Passage, PassageMetadata
from .splitting import Split

_BETWEEN_WORDS = re.compile(r"[-_\s]+")


class SectionPair(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a section pairs file."""

    doc_id: str
    """The document's id; its last part, where it is a path, is the document's name in English."""
    section: int
    """Place in the document; with `doc_id` the id of the passage, `<doc_id>#<section>`."""
    heading_ko: str = ""
    heading_en: str | None = None
    text: str

    @property
    def passage_id(self) -> str:
        """The `_id` of the section as a passage."""
        return f"{self.doc_id}#{self.section}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """Section pairs with what is known of their documents."""

    pairs: Sequence[SectionPair]
    documents: Mapping[str, Document]
    """By id; titles, dates and sources come from here."""

    def title(self, section: SectionPair) -> str:
        """The title of the section's document, or ""."""
        document = self.documents.get(section.doc_id)
        return clean_line(document.title) if document else ""


def read_section_pairs(path: Path) -> Iterator[SectionPair]:
    """Yields the sections that have a text, cleaned, in order."""
    for pair in read_jsonl(path, SectionPair):
        text = clean_text(pair.text)
        if text:
            yield msgspec.structs.replace(
                pair,
                heading_ko=clean_line(pair.heading_ko),
                heading_en=clean_line(pair.heading_en or "") or None,
                text=text,
            )


def english_name(doc_id: str) -> str:
    """The words of a document's file name, which documentation sites keep in English.

    >>> english_name("mssql/docs/ado/ado-glossary.md"), english_name("178554")
    ('ado glossary', '')
    """
    name = PurePosixPath(doc_id).stem if "/" in doc_id else ""
    return _BETWEEN_WORDS.sub(" ", name).strip()


def section_passages(sections: Sections) -> Iterator[Passage]:
    """Yields each section as a passage, whole."""
    for section in sections.pairs:
        document = sections.documents.get(section.doc_id)
        yield Passage(
            id=section.passage_id,
            title=sections.title(section),
            text=section.text,
            metadata=PassageMetadata(
                document_id=section.doc_id,
                heading=section.heading_ko,
                language=guess_language(section.text),
                published=document.published if document else None,
                source=document.source if document else "",
            ),
        )


WHOLE = 2
"""A title asks for the whole document; one of at most so many sections with a heading of their own is told by the
first."""
BOILERPLATE = 10
"""A heading of more documents than this ("see also") says what part of a document it stands over, not what it is about,
and nobody asks for that: a model taught by it expands every text with such words."""


def section_queries(sections: Sections, *, splits: Mapping[str, Split]) -> Iterator[Pair]:
    """Yields the queries of each section: its headings, and for a short document's first one also its title and name.

    A heading that several documents have would fit them all: the title, in English the name, goes before it. One that
    more than `BOILERPLATE` documents have asks for nothing. A query that still asks for several sections is left out.
    """
    yield from unambiguous(list(_all_queries(sections, splits)))


def _all_queries(sections: Sections, splits: Mapping[str, Split]) -> Iterator[Pair]:
    korean = documents_by_heading((s.heading_ko, s.doc_id) for s in sections.pairs)
    english = documents_by_heading((s.heading_en or "", s.doc_id) for s in sections.pairs)
    n_own = Counter(s.doc_id for s in sections.pairs if korean[s.heading_ko.lower()] <= BOILERPLATE)
    begun: set[str] = set()
    for section in sections.pairs:
        title, name = sections.title(section), english_name(section.doc_id)
        queries = {
            "heading_ko": _specific(section.heading_ko, title, n_documents=korean),
            "heading_en": _specific(section.heading_en or "", name, n_documents=english),
        }
        if section.doc_id not in begun and n_own[section.doc_id] <= WHOLE:
            queries |= {"title_ko": title, "title_en": name}
        begun.add(section.doc_id)
        for which, query in queries.items():
            if not query:
                continue
            kind, language = which.split("_")
            yield Pair(
                query_id=f"{section.passage_id}:{which}",
                query=query,
                doc_id=section.passage_id,
                kind=kind,
                language=language,
                split=splits.get(section.doc_id, "train"),
            )


def _specific(heading: str, before: str, *, n_documents: Mapping[str, int]) -> str:
    if n_documents[heading.lower()] > BOILERPLATE:
        return ""
    if not heading or n_documents[heading.lower()] == 1:
        return heading
    return f"{before} {heading}".strip() if before else ""


class Parallel(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the format `parallel`."""

    id: str
    ko: str
    en: str
    source: str = "section_pairs"


COMMON = 3
"""Headings of more documents than this are boilerplate and no translation worth learning again and again."""


def section_parallel(sections: Sections) -> Iterator[Parallel]:
    """Yields titles with their English names and headings with their English ones."""
    n_documents = documents_by_heading((s.heading_ko, s.doc_id) for s in sections.pairs)
    begun: set[str] = set()
    for section in sections.pairs:
        title, name = sections.title(section), english_name(section.doc_id)
        if section.doc_id not in begun and title and name:
            yield Parallel(id=f"{section.passage_id}:title", ko=title, en=name)
        begun.add(section.doc_id)
        if section.heading_ko and section.heading_en and n_documents[section.heading_ko.lower()] <= COMMON:
            yield Parallel(id=f"{section.passage_id}:heading", ko=section.heading_ko, en=section.heading_en)
