"""Chunking: a document into passages of a paragraph or so, none across a heading.

A passage is what a reader is shown as an answer: long enough to say something, short enough to be about one thing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .documents import Document
from .passages import HEADING_SEPARATOR, Passage, PassageMetadata
from .sentences import cut_evenly

_HEADING = re.compile(r"(#{1,6})[ \t]+(\S.*?)[ \t]*#*$")
_FENCE = re.compile(r"\s*(```|~~~)")
_WORD = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """How long passages are."""

    min_chars: int = 120
    """A shorter paragraph is joined to what follows, a short last one to what is before, within its section."""
    max_chars: int = 400
    """A longer paragraph is cut at sentence ends."""

    def __post_init__(self) -> None:
        if not 1 <= self.min_chars <= self.max_chars:
            raise ValueError(f"wanted 1 <= min_chars <= max_chars, found {self.min_chars} and {self.max_chars}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The paragraphs under one heading, up to the next."""

    heading: str
    """The path of headings; "" before the first."""
    paragraphs: list[str]


def sections(text: str) -> Iterator[Section]:
    r"""Yields the sections of a Markdown text that hold a paragraph; headings inside code fences are text.

    >>> [(s.heading, s.paragraphs) for s in sections("가\n\n## 나\n다\n\n### 라\n마\n바\n\n사")]
    [('', ['가']), ('나', ['다']), ('나 > 라', ['마\n바', '사'])]
    """
    path: list[tuple[int, str]] = []
    paragraphs: list[str] = []
    lines: list[str] = []
    fenced = False
    for line in [*text.split("\n"), ""]:
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _HEADING.match(line)
        if heading is None and line.strip():
            lines.append(line)
            continue
        if paragraph := "\n".join(lines).strip():
            paragraphs.append(paragraph)
        lines = []
        if heading is not None:
            if paragraphs:
                yield Section(heading=_joined(path), paragraphs=paragraphs)
            paragraphs = []
            level = len(heading[1])
            path = [*(step for step in path if step[0] < level), (level, heading[2])]
    if paragraphs:
        yield Section(heading=_joined(path), paragraphs=paragraphs)


def _joined(path: list[tuple[int, str]]) -> str:
    return HEADING_SEPARATOR.join(title for _, title in path)


def join_short(paragraphs: list[str], *, min_chars: int) -> list[str]:
    r"""Joins each paragraph shorter than `min_chars` to the next ones until it is not; a short tail to the one before.

    >>> join_short(["가", "나다라", "마바사", "아"], min_chars=3)
    ['가\n나다라', '마바사\n아']
    """
    joined: list[str] = []
    for paragraph in paragraphs:
        if joined and len(joined[-1]) < min_chars:
            joined[-1] += "\n" + paragraph
        else:
            joined.append(paragraph)
    if len(joined) > 1 and len(joined[-1]) < min_chars:
        tail = joined.pop()
        joined[-1] += "\n" + tail
    return joined


def chunk_document(document: Document, lengths: Lengths = Lengths()) -> Iterator[Passage]:
    """Yields the passages of a document, in order, with ids `<document id>#<k>`; none where it has no word.

    No passage is longer than `max_chars`; only one that is all its section has, or that no cut could make longer,
    is shorter than `min_chars`. Headings are kept beside a passage, not in its text.
    """
    n_passages = 0
    for section in sections(document.text):
        for block in join_short(section.paragraphs, min_chars=lengths.min_chars):
            pieces = [block] if len(block) <= lengths.max_chars else cut_evenly(block, max_chars=lengths.max_chars)
            for text in pieces:
                if not _WORD.search(text):
                    continue
                yield Passage(
                    id=f"{document.id}#{n_passages}",
                    title=document.title,
                    text=text,
                    metadata=PassageMetadata(
                        document_id=document.id,
                        heading=section.heading,
                        language=document.language,
                        published=document.published,
                        source=document.source,
                    ),
                )
                n_passages += 1
