"""Compounds: the noun phrases of a text, each under one key however it is spaced or analysed.

A topic is seldom one morpheme: kiwi cuts `멀티벡터` in one sentence and leaves it whole in the next.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from ._kiwi import NOUN_TAGS, Morpheme, morphemes

COMPOUND_TAGS = (*NOUN_TAGS, "XPN", "MM", "NNB", "XSN")
"""What compounds are made of: nouns, and written onto a noun a prefix, determiner, bound noun or suffix."""

MAX_MORPHEMES = 4
"""Morphemes in a compound: 소형 언어 모델 has three, 무지출 챌린지 too."""

_BEFORE = frozenset({"XPN", "MM", "NNB"})
_AFTER = frozenset({"XSN"})
_NOUNS = frozenset(NOUN_TAGS)
_NUMBERS = frozenset({"SN"})


def compounds(texts: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yields for each text its nouns and noun compounds: key -> how it is first written there, in order.

    The key is lower-cased and without spaces and hyphens, so `전세 보증` and `전세보증` are one. A compound has at
    most four morphemes and two characters or more, and does not start with a number.

    >>> list(next(compounds(["무지출 챌린지가 늘었다."])).values())
    ['무지출', '무지출 챌린지', '지출', '지출 챌린지', '챌린지']
    """
    originals: list[str] = []

    def remembered() -> Iterator[str]:
        for text in texts:
            originals.append(unicodedata.normalize("NFC", text))
            yield originals[-1]

    for place, found in enumerate(morphemes(remembered())):
        text, originals[place] = originals[place], ""
        yield _compounds_of(text, found)


def _compounds_of(text: str, found: Sequence[Morpheme]) -> dict[str, str]:
    written: dict[str, str] = {}
    found = [m for m in found if m.form != "-"]
    for start in range(len(found)):
        for end in range(start + 1, min(start + MAX_MORPHEMES, len(found)) + 1):
            if end - start > 1 and not _joins(text, found[end - 2], found[end - 1]):
                break
            if _is_compound(found[start:end], text):
                surface = text[found[start].start : found[end - 1].end]
                key = "".join(c for c in surface.lower() if c not in " -")
                if len(key) > 1:
                    written.setdefault(key, surface)
    return written


def _joins(text: str, left: Morpheme, right: Morpheme) -> bool:
    """Whether nothing, a space or a hyphen parts two morphemes that may stand in one compound."""
    gap = text[left.end : right.start]
    if left.end > right.start or gap not in ("", " ", "-"):
        return False
    if left.tag in _BEFORE or right.tag in _AFTER:
        return gap == ""
    return left.tag in _NOUNS | _AFTER and right.tag in _NOUNS | _BEFORE


def _is_compound(part: Sequence[Morpheme], text: str) -> bool:
    """Whether it starts as a word does, ends in a noun (or its suffix) and holds a noun that is no number."""
    first, last = part[0], part[-1]
    if first.tag in _NUMBERS | _AFTER or last.tag in _BEFORE or first.tag not in _NOUNS | _BEFORE:
        return False
    if (
        first.tag == "NNB"
        and first.start > 0
        and not text[first.start - 1].isspace()
        and text[first.start - 1].isalnum()
    ):
        return False
    return any(m.tag in _NOUNS - _NUMBERS for m in part)
