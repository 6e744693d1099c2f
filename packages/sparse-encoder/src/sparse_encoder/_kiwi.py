"""Korean morphemes by kiwi, under an identity that travels with whatever was made from them.

Vendored: the packages that analyse Korean hold this very file, and `nox -s contracts` keeps the copies identical
(docs/adr/0002); docs/formats/golden/analysis.json pins what it must find.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from typing import NamedTuple

import msgspec
from kiwipiepy import Kiwi

CONTENT_TAGS = ("NNG", "NNP", "NNB", "NR", "VV", "VA", "XR", "MAG", "SL", "SH", "SN", "W_SERIAL")
"""Sejong tags that carry meaning for search: nouns, verbs, adjectives, roots, adverbs, foreign words, numbers."""

NOUN_TAGS = ("NNG", "NNP", "XR", "SL", "SH", "SN", "W_SERIAL")
"""Tags a term of a dictionary or a trend is made of."""


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """The identity of an analysis: two of them agree on every text only if they are equal."""

    analyser: str = "kiwi"
    analyser_version: str
    tags: tuple[str, ...]
    """Tags kept, in the order given."""
    options: dict[str, bool] = {}


class Morpheme(NamedTuple):
    """A morpheme and the characters [start, end) of the NFC text that it covers."""

    form: str
    tag: str
    start: int
    end: int


def analysis(tags: tuple[str, ...] = CONTENT_TAGS) -> Analysis:
    """The identity of what `terms` finds with these tags and the kiwi installed here."""
    return Analysis(analyser_version=version("kiwipiepy"), tags=tags, options={"lowercase": True})


def morphemes(texts: Iterable[str]) -> Iterator[list[Morpheme]]:
    """Yields the morphemes of each text, in order; spans of contracted morphemes may overlap.

    >>> [m.form for m in next(morphemes(["검색엔진에서"]))]
    ['검색', '엔진', '에서']
    """
    normal = (unicodedata.normalize("NFC", text) for text in texts)
    for tokens in _kiwi().tokenize(normal):
        yield [Morpheme(t.form, t.tag.partition("-")[0], t.start, t.end) for t in tokens]


def terms(texts: Iterable[str], tags: tuple[str, ...] = CONTENT_TAGS) -> Iterator[list[str]]:
    """Yields the lower-cased forms of each text's morphemes that have one of `tags`, in order, repeats kept.

    >>> list(terms(["임베딩(embedding)을 만들었다", ""]))
    [['임베딩', 'embedding', '만들'], []]
    """
    kept = frozenset(tags)
    for found in morphemes(texts):
        yield [m.form.lower() for m in found if m.tag in kept]


@cache
def _kiwi() -> Kiwi:
    return Kiwi()
