"""How good a dictionary is against a list of known translations."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from ko_synonyms._files import InputError
from ko_synonyms.records import Synonym

Gold = Mapping[str, frozenset[str]]
"""The Korean words of each English head, lower-cased and without spaces."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Precision over the proposed pairs whose head the list knows, recall over the list's pairs."""

    n_proposed: int
    n_judged: int
    """Proposed pairs whose English term is a head of the list; the others can be neither right nor wrong."""
    n_right: int
    n_gold: int
    precision: float
    recall: float


def read_gold(path: Path) -> Gold:
    """Reads a tab-separated list with the columns `en` and `ko` (others are ignored), a pair a line."""
    heads: dict[str, set[str]] = defaultdict(set)
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), start=2):
                if not row.get("en") or not row.get("ko"):
                    raise InputError(f"{path}:{number}: found {dict(row)!r}: wanted the columns 'en' and 'ko'")
                heads[_plain(row["en"])].add(_plain(row["ko"]))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    return {en: frozenset(words) for en, words in heads.items()}


def score(synonyms: Iterable[Synonym], gold: Gold) -> Score:
    """Judges entries: one is wrong only where the list knows its English term and not its Korean one.

    Case and spaces do not count.

    >>> good = Synonym(ko="검색", en="Search", confidence=1.0, evidence=())
    >>> bad = Synonym(ko="결과", en="search", confidence=1.0, evidence=())
    >>> found = score([good, bad], {"search": frozenset({"검색", "탐색"})})
    >>> found.precision, found.recall
    (0.5, 0.5)
    """
    proposed = {(_plain(s.en), _plain(s.ko)) for s in synonyms}
    judged = {(en, ko) for en, ko in proposed if en in gold}
    right = {(en, ko) for en, ko in judged if ko in gold[en]}
    n_gold = sum(len(words) for words in gold.values())
    return Score(
        n_proposed=len(proposed),
        n_judged=len(judged),
        n_right=len(right),
        n_gold=n_gold,
        precision=round(len(right) / len(judged), 4) if judged else 0.0,
        recall=round(len(right) / n_gold, 4) if n_gold else 0.0,
    )


def _plain(term: str) -> str:
    return "".join(term.casefold().split())
