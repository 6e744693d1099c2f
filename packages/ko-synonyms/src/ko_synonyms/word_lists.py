"""Word lists: texts of some terms in one language, each asked for by one of them in the other.

What counts or reads texts, a vocabulary above all, meets the words of a dictionary nowhere else. A list is the
plainest text there is: whoever is to find it must know every term of it for itself.
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
    """Yields every term as a query, `rounds` times in each language, for lists of `terms` terms.

    Every round deals all terms anew, so that they meet others. A pair that is of lists already (`맛, 소금` and
    `flavor, salt`) comes once, as it is: each of its words asks for the list in the other language. Sentences, of
    more than four words, are left out.

    >>> pairs = [TermPair(ko="뱀", en="snake", weight=1.0), TermPair(ko="소금", en="salt", weight=1.0)]
    >>> [(w.query, w.text) for w in word_lists(pairs, terms=2, rounds=1, seed=1)]
    [('snake', '뱀, 소금'), ('salt', '뱀, 소금'), ('뱀', 'snake, salt'), ('소금', 'snake, salt')]
    >>> [(w.query, w.text) for w in word_lists([TermPair(ko="맛, 소금", en="salt", weight=1.0)])]
    [('salt', '맛, 소금'), ('맛', 'salt'), ('소금', 'salt')]
    """
    single = [p for p in pairs if "," not in p.ko + p.en and _is_term(p.ko) and _is_term(p.en)]
    chance = random.Random(seed)
    for _ in range(rounds):
        dealt = chance.sample(single, len(single))
        for start in range(0, len(dealt), terms):
            hand = dealt[start : start + terms]
            yield from _asked([p.ko for p in hand], [p.en for p in hand])
    for pair in pairs:
        if "," in pair.ko + pair.en:
            yield from _asked(_terms(pair.ko), _terms(pair.en))


def _asked(korean: Sequence[str], english: Sequence[str]) -> Iterator[WordList]:
    """The list in each language, asked for by every term of the other."""
    if korean and english:
        yield from (WordList(query=term, text=", ".join(korean)) for term in english)
        yield from (WordList(query=term, text=", ".join(english)) for term in korean)


def _terms(text: str) -> list[str]:
    return [term for term in map(str.strip, text.split(",")) if _is_term(term)]


def _is_term(text: str) -> bool:
    return 0 < len(text.split()) <= MOST_WORDS
