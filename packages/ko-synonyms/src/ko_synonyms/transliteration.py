"""How much a Korean word sounds like an English one: `클러스터` and `cluster` share their consonants.

A loanword is evidence for a pair that needs no second mention; it also shows where a term begins.
"""

import re
import unicodedata
from functools import cache

ENOUGH = 0.75
"""Likeness from which a Korean term counts as its English one written in Hangul."""

_INITIALS = "KKNTTLMPPSS-CCCKTPH"
"""Sound class of each of Unicode's 19 initial consonants, ㄱ to ㅎ; `-` is silent."""

_FINALS = "-KKKNNNTLLLLLLLLMPPTTNCCKTPH"
"""Sound class of each of Unicode's 28 finals, none first; a final ㅅ stands for a t."""

_RULES = (
    (r"x", "ks"),
    (r"tch", "ch"),
    (r"(?:t|ss)ion", "Sn"),
    (r"sion", "Cn"),
    (r"ture\b", "C"),
    (r"ck|q(?:u)?", "k"),
    (r"ph", "f"),
    (r"igh", "i"),
    (r"\bkn", "n"),
    (r"\bwr", "r"),
    (r"wh", "w"),
    (r"sch", "Sk"),
    (r"che\b", "S"),
    (r"ch", "C"),
    (r"sh", "S"),
    (r"th", "S"),
    (r"dge?|j", "C"),
    (r"g(?=[eiy])", "C"),
    (r"c(?=[eiy])", "S"),
    (r"ng", "N"),
    (r"r(?![aeiouy])", ""),
    (r"([a-z])\1", r"\1"),
)

_CLASSES = str.maketrans(
    {**dict.fromkeys("bpfv", "P"), **dict.fromkeys("kcg", "K"), **dict.fromkeys("dt", "T"), **dict.fromkeys("sz", "S"),
     **dict.fromkeys("lr", "L"), "m": "M", "n": "N", "h": "H", **dict.fromkeys("aeiouwy", None)}
)  # fmt: skip

_NEAR = {frozenset(pair) for pair in ("SC", "KC", "ST", "CT", "LN", "MN")}
_WEAK = frozenset("HL")


def likeness(korean: str, english: str) -> float:
    """How alike two terms sound, 0 to 1; 0 where either has too few consonants to tell.

    >>> likeness("클러스터", "cluster"), likeness("임베딩", "embedding"), likeness("스테이블코인", "stablecoin")
    (1.0, 1.0, 1.0)
    >>> likeness("검색", "search") < 0.5, likeness("키", "key")
    (True, 0.0)
    """
    found, wanted = korean_consonants(korean), english_consonants(english)
    shorter = min(len(found), len(wanted))
    if shorter < 2:
        return 0.0
    score = 1.0 - _distance(found, wanted) / max(len(found), len(wanted))
    if shorter == 2 and (score < 1.0 or abs(_n_syllables(english) - len(korean)) > 1):
        return min(score, 0.5)
    return round(score, 4)


@cache
def korean_consonants(word: str) -> str:
    """The sound classes of a Korean word's consonants, in order.

    >>> korean_consonants("클러스터"), korean_consonants("셋")
    ('KLST', 'ST')
    """
    sounds: list[str] = []
    for character in unicodedata.normalize("NFC", word):
        if not "가" <= character <= "힣":
            sounds.append(english_consonants(character) if character.isalpha() else "")
            continue
        code = ord(character) - ord("가")
        sounds.append(_INITIALS[code // 588])
        sounds.append(_FINALS[code % 28])
    return re.sub(r"LL+", "L", "".join(sounds).replace("-", ""))


@cache
def english_consonants(word: str) -> str:
    """The sound classes of an English term's consonants as Korean would write them, in order.

    >>> english_consonants("cluster"), english_consonants("pattern"), english_consonants("session")
    ('KLST', 'PTN', 'SSN')
    """
    sounds = re.sub(r"[^a-z ]", " ", word.lower())
    for pattern, sound in _RULES:
        sounds = re.sub(pattern, sound, sounds)
    return sounds.replace(" ", "").replace("N", "n").translate(_CLASSES)


def _n_syllables(english: str) -> int:
    return len(re.findall(r"[aeiouy]+", english.lower())) or 1


def _distance(found: str, wanted: str) -> float:
    """Weighted edit distance: near sounds and weak ones (h, l and r) cost half."""
    row = [0.0]
    for sound in wanted:
        row.append(row[-1] + _gap(sound))
    for here in found:
        above = row
        row = [above[0] + _gap(here)]
        for index, there in enumerate(wanted):
            change = 0.0 if here == there else 0.5 if frozenset((here, there)) in _NEAR else 1.0
            row.append(min(above[index] + change, above[index + 1] + _gap(here), row[index] + _gap(there)))
    return row[-1]


def _gap(sound: str) -> float:
    return 0.5 if sound in _WEAK else 1.0
