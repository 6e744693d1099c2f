"""Pieces of general Korean for a vocabulary: words that a corpus of one field hardly has, as often as kiwi knows them.

Verbs and adjectives come in their commonest written forms, since 춥, 추워 and 추웠 are different strings.
"""

from collections import defaultdict
from functools import cache
from typing import NamedTuple

from sparse_encoder.general_korean import Known, known, language_model
from sparse_encoder.pieces import CONTINUATION, cut_texts

NOUN_LIKE = ("NNG", "NNP", "NNB", "NR", "NP", "XR", "MAG", "MAJ", "MM", "IC")
"""Tags of morphemes that are written as they are."""
INFLECTED = ("VV", "VA")
FLATTENED = 50
"""Ranks that the curve of frequencies is flattened by: the first fifty are in every vocabulary anyway."""


class Form(NamedTuple):
    """A written form of verbs and adjectives: the endings that make it, and how many of ten have it, about."""

    endings: tuple[tuple[str, str], ...]
    of_ten: int


FORMS = (
    Form((("어", "EC"),), 2),
    Form((("었", "EP"), ("다", "EF")), 2),
    Form((("고", "EC"),), 2),
    Form((("는", "ETM"),), 1),
    Form((("은", "ETM"),), 1),
    Form((("을", "ETM"),), 1),
    Form((("으면", "EC"),), 1),
)


@cache
def general_pieces() -> dict[str, float]:
    """Piece to its share of general Korean's pieces, with `##` where it goes on inside a word; the shares add to 1."""
    words: list[str] = []
    weights: list[float] = []
    for rank, morpheme in enumerate(known(), start=1):
        for word, share in _written(morpheme):
            words.append(word)
            weights.append(share / (rank + FLATTENED))
    found: defaultdict[str, float] = defaultdict(float)
    for weight, cut in zip(weights, cut_texts(words), strict=True):
        for pieces in cut:
            for position, piece in enumerate(pieces):
                found[CONTINUATION + piece if position else piece] += weight
    total = sum(found.values())
    return {piece: weight / total for piece, weight in found.items()}


def _written(morpheme: Known) -> list[tuple[str, float]]:
    """The words that a morpheme is written in, and the share of each."""
    _, tag = morpheme.key
    if tag in NOUN_LIKE:
        return [(morpheme.form, 1.0)]
    if tag in INFLECTED:
        return [(language_model().join([tuple(morpheme), *form.endings]), form.of_ten / 10) for form in FORMS]
    return []
