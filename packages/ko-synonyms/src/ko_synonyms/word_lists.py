"""Word lists: texts of some terms in one language, each asked for by one of them in the other.

A model that learns from short terms alone need not know them again in a text. A list is the plainest text there is:
whoever is to find it must read every term of it for itself.
"""

import random
from collections.abc import Iterator, Sequence

import msgspec

from ko_synonyms.records import TermPair

MOST_WORDS = 4


class WordList(msgspec.Struct, frozen=True, kw_only=True):
    """A query, a term in one language, and a text that holds it in the other."""

    query: str
    text: str


def word_lists(pairs: Sequence[TermPair], *, terms: int = 12, rounds: int = 2, seed: int = 42) -> Iterator[WordList]:
    """Yields every short term as a query, `rounds` times in each language, for lists of `terms` terms.

    Sentences (more than four words) and what is a list already are left out. Every round deals all terms anew, so
    that they meet others.

    >>> pairs = [TermPair(ko="뱀", en="snake", weight=1.0), TermPair(ko="소금", en="salt", weight=1.0)]
    >>> [(w.query, w.text) for w in word_lists(pairs, terms=2, rounds=1, seed=1)]
    [('snake', '뱀, 소금'), ('salt', '뱀, 소금'), ('뱀', 'snake, salt'), ('소금', 'snake, salt')]
    """
    short = [p for p in pairs if _is_term(p.ko) and _is_term(p.en)]
    chance = random.Random(seed)
    for _ in range(rounds):
        dealt = chance.sample(short, len(short))
        for start in range(0, len(dealt), terms):
            hand = dealt[start : start + terms]
            korean, english = ", ".join(p.ko for p in hand), ", ".join(p.en for p in hand)
            yield from (WordList(query=p.en, text=korean) for p in hand)
            yield from (WordList(query=p.ko, text=english) for p in hand)


def _is_term(text: str) -> bool:
    return "," not in text and len(text.split()) <= MOST_WORDS
