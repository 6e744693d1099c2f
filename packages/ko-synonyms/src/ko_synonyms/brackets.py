"""Places where a text sets a Korean and an English term side by side with brackets, such as `임베딩(embedding)`.

Only finds and splits them; how much of the text before the bracket belongs to the term is decided in `phrases`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

CLAUSE = 80
"""Characters kept before a bracket: enough for an analysis to know the context, few enough to be quick."""

_UNITS = """
mm cm km nm kg mg mcg ml dl kl db hz khz mhz ghz kb mb gb tb pb kbps mbps gbps kw mw gw kwh mwh mah kcal cal ms ns min
hr sec rpm ppm ppb psi pa hpa mpa mmhg mol bpm usd krw eur jpy am pm px pt
"""
UNITS = frozenset(_UNITS.split())
"""What stands in brackets as a unit of measure, lower-cased; never a translation."""

GLOSSES = ("영어로는", "영어로", "영어명", "영문명", "영문", "영어", "영", "이하", "약칭", "약어", "줄여서")

_BRACKET = re.compile(r"(?P<space> ?)[(（](?P<inside>[^()（）\n]{1,90})[)）](?P<after>[가-힣]*)")
_ENGLISH = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:(?:[ '’&/.-]| & )[A-Za-z0-9]+)*\+{0,2}#?")
_ENGLISH_LEFT = re.compile(
    r"(?<![A-Za-z0-9_.\\/@#$<>`=:+-])[A-Za-z][A-Za-z0-9'’&+#-]*(?: [A-Za-z][A-Za-z0-9'’&+#-]*){0,5}$"
)
_KOREAN_INSIDE = re.compile(r"[가-힣](?:[가-힣A-Za-z0-9·-]| (?! )){0,29}")
_CODE = re.compile(r"\d{3}|\.[a-z]{2,4}$|[a-z][A-Z]|[A-Z]{2}[a-z]{2,}[A-Z]|[A-Z][a-z]+[A-Z][a-z]+[A-Z]")
_FORM_SEPARATOR = re.compile(r"\s*[,;；]\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One bracket: the known side is given whole, the other lies somewhere at the end of `left`."""

    left: str
    """The text before the bracket, from the start of its clause."""
    inside: str
    """The term in the bracket."""
    full: str
    """Its full form where the bracket holds an abbreviation too, otherwise the same: what the left side is sized by."""
    after: str
    """The Hangul right behind the bracket, often a particle."""
    inside_is: Literal["english", "korean"]
    start: int
    """Where the bracket opens in the text; the forms of one bracket share it."""


def find_mentions(text: str) -> Iterator[Mention]:
    """Yields what may be a term and its translation in brackets, in order; one for every form in a bracket.

    Units, single letters, code, Korean explanations and lists of unrelated words are left out.

    >>> [(m.left, m.inside) for m in find_mentions("국내총생산(gross domestic product, GDP)은 3(km)")]
    [('국내총생산', 'gross domestic product'), ('국내총생산', 'GDP')]
    >>> [(m.left, m.inside) for m in find_mentions("서울(한국)의 namespace(네임스페이스)")]
    [('namespace', '네임스페이스')]
    """
    for found in _BRACKET.finditer(text):
        left = _clause(text[max(0, found.start() - CLAUSE) : found.start()])
        inside = _without_gloss(found["inside"].strip())
        if "가" <= left[-1:] <= "힣":
            forms = english_forms(inside)
            for form in forms:
                full = max(forms, key=len)
                yield Mention(
                    left=left,
                    inside=form,
                    full=full,
                    after=found["after"],
                    inside_is="english",
                    start=found.start(),
                )
        elif not found["space"] and _KOREAN_INSIDE.fullmatch(inside):
            english = _ENGLISH_LEFT.search(left)
            if english and is_english_term(english[0].split()[-1]):
                yield Mention(
                    left=english[0],
                    inside=inside,
                    full=inside,
                    after=found["after"],
                    inside_is="korean",
                    start=found.start(),
                )


def english_forms(inside: str) -> list[str]:
    """The English terms in a bracket: one, or a full form with its abbreviation; none where it is a list.

    >>> english_forms("Digital Cinema Package, DCP"), english_forms("鼓手, drummer")
    (['Digital Cinema Package', 'DCP'], ['drummer'])
    >>> english_forms("AWS, GCP"), english_forms("km"), english_forms("maxLength")
    ([], [], [])
    """
    parts = [_without_gloss(part) for part in _FORM_SEPARATOR.split(inside)]
    parts = [part for part in parts if not re.fullmatch(r"[\u4e00-\u9fff ]+", part)]
    if not parts or not all(is_english_term(part) for part in parts):
        return []
    if len(parts) == 1 or (len(parts) == 2 and (abbreviates(parts[1], parts[0]) or abbreviates(parts[0], parts[1]))):
        return parts
    return []


def is_english_term(text: str) -> bool:
    """Whether a text can be an English term: two letters or more, nine words or fewer, no unit, code or sentence.

    >>> [is_english_term(t) for t in ("embedding", "Shor's algorithm", "GLP-1", "km", "camelCase", "a", "x = 3")]
    [True, True, True, False, False, False, False]
    """
    if len(text) < 2 or not _ENGLISH.fullmatch(text) or len(text.split()) > 9 or text.lower() in UNITS:
        return False
    return not any(_CODE.search(word) and not is_abbreviation(word) for word in re.split(r"[ -]", text))


def is_abbreviation(word: str) -> bool:
    """Whether a word is written as an abbreviation: mostly capitals, up to eight letters.

    >>> [is_abbreviation(w) for w in ("GDP", "nDCG", "LoRA", "CBT-I", "Willow", "PostgreSQL")]
    [True, True, True, True, False, False]
    """
    letters = [c for c in word if c.isalpha()]
    capitals = sum(c.isupper() for c in letters)
    return " " not in word and 2 <= len(letters) <= 8 and capitals >= 2 and 2 * capitals > len(letters)


def abbreviates(short: str, full: str) -> bool:
    """Whether the letters of `short` are found in order in `full`, the first of each at the start of a word.

    >>> abbreviates("DCP", "Digital Cinema Package"), abbreviates("Wh", "watt-hour"), abbreviates("GCP", "AWS")
    (True, True, False)
    """
    words = re.split(r"[ /-]", full.lower())
    letters = [c for c in short.lower() if c.isalpha()]
    if len(words) < 2 or not letters or letters[0] != words[0][:1]:
        return False
    rest = iter("".join(words))
    initials = {word[0] for word in words if word}
    return all(letter in rest for letter in letters) and sum(letter in initials for letter in letters) * 2 > len(
        letters
    )


def _clause(left: str) -> str:
    """What follows the last sentence end, line end or opening mark."""
    return re.split(r"[.!?]\s|[\n\"“”‘’'`|<>=:]", left)[-1]


def _without_gloss(inside: str) -> str:
    for gloss in GLOSSES:
        if inside.startswith(gloss):
            rest = inside[len(gloss) :].lstrip(" :").strip("'\"‘’“” ")
            return rest if rest[:1].isascii() and rest else inside
    return inside.strip("'\"‘’“” ")
