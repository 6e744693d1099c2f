"""Code-mixed copies of query-passage pairs: `검색 엔진을 고르는 법` also as `search engine을 고르는 법`.

Korean users type either language for a technical term, so a model must meet both against the same passage.
"""

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import tee

import msgspec

from ko_synonyms._kiwi import Morpheme, morphemes
from ko_synonyms.dictionary import Dictionary
from ko_synonyms.josa import adjust
from ko_synonyms.records import Pair

SHARE = 0.7
"""Chance that a term found in a query is replaced; one always is."""

_HANGUL = re.compile(r"[가-힣]+")
_MAY_FOLLOW = ("J", "VCP", "XSV", "XSA", "S", "E")
"""Beginnings of the tags that may follow a term in the same word; a noun may not, it would be another compound."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A term of the dictionary at [start, end) of a query, and what it can be replaced by."""

    start: int
    end: int
    meanings: Sequence[str]
    has_josa: bool


def mix(
    pairs: Iterable[Pair], dictionary: Dictionary, *, seed: int = 42, passages: Mapping[str, str] | None = None
) -> Iterator[Pair]:
    """Yields a code-mixed copy of each pair in whose query a term of the dictionary stands, in order.

    Particles are fitted to the new word. Where a term means several, the one that the pair's passage holds is taken,
    if `passages` (texts by doc_id) tells, and otherwise the first. The copy depends on seed and query_id only.

    >>> pair = Pair(query_id="q", query="검색을 잘하는 법", doc_id="d", kind="title", language="ko", source="s")
    >>> [(m.query_id, m.query, m.kind) for m in mix([pair], {"검색": ["search"]})]
    [('q:mixed', 'search를 잘하는 법', 'code_mixed')]
    """
    terms = {term.casefold(): meanings for term, meanings in dictionary.items()}
    longest = max(map(len, terms), default=0)
    originals, copies = tee(pairs)
    for pair, analysed in zip(originals, morphemes(pair.query for pair in copies), strict=True):
        found = list(_find(pair.query, analysed, terms, longest))
        passage = (passages or {}).get(pair.doc_id, "").casefold()
        query = _replace(pair.query, found, random.Random(f"{seed}:{pair.query_id}"), passage)
        if query != pair.query:
            yield msgspec.structs.replace(
                pair, query_id=f"{pair.query_id}:mixed", query=query, kind="code_mixed", language="mixed"
            )


def _find(query: str, analysed: Sequence[Morpheme], terms: Dictionary, longest: int) -> Iterator[_Found]:
    """The terms in a query, left to right, longest first, none overlapping, at bounds of words and morphemes."""
    lowered = query.casefold()
    if len(lowered) != len(query):
        return
    ends = {m.end for m in analysed}
    tags_at = {m.start: m.tag for m in reversed(analysed)}
    position = 0
    for start in sorted(tags_at):
        if start < position or (start > 0 and query[start - 1].isalnum()):
            continue
        for end in range(min(len(query), start + longest), start, -1):
            meanings = terms.get(lowered[start:end])
            if meanings and (end in ends) and _may_end(query, end, tags_at):
                yield _Found(start, end, meanings, tags_at.get(end, "").startswith("J"))
                position = end
                break


def _may_end(query: str, end: int, tags_at: Mapping[int, str]) -> bool:
    if end == len(query) or not query[end].isalnum():
        return True
    return "가" <= query[end] <= "힣" and tags_at.get(end, "").startswith(_MAY_FOLLOW)


def _replace(query: str, found: Sequence[_Found], rng: random.Random, passage: str) -> str:
    usable = [f for f in found if not any(meaning.casefold() in query.casefold() for meaning in f.meanings)]
    if not usable:
        return query
    sure = rng.randrange(len(usable))
    chosen = [f for index, f in enumerate(usable) if rng.random() < SHARE or index == sure]
    parts, position = [], 0
    for one in chosen:
        meaning = next((m for m in one.meanings if m.casefold() in passage), one.meanings[0])
        parts += [query[position : one.start], meaning]
        position = one.end
        behind = _HANGUL.match(query, position) if one.has_josa else None
        if behind:
            parts.append(adjust(behind[0], meaning))
            position = behind.end()
    return "".join([*parts, query[position:]])
