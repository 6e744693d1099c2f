"""How much of the text beside a bracket is the term: the right-sized noun phrase.

The word that touches the bracket always belongs to it, whatever kiwi makes of it (loanwords that it does not know
come apart as `커` + `서`); words further left join while they are nouns and the English term still has parts to cover.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ko_synonyms._kiwi import Morpheme, morphemes
from ko_synonyms.brackets import Mention, is_abbreviation
from ko_synonyms.records import has_hangul
from ko_synonyms.transliteration import ENOUGH, likeness

_NOUNS = frozenset({"NNG", "NNP", "XR", "SL", "SH", "SN", "W_SERIAL", "NR"})
_PARTS = _NOUNS | {"XSN", "XPN", "NNB", "SO"}
"""Tags a word may consist of to stand inside a noun phrase; only those of _NOUNS count as a part of meaning."""

_NEVER = """
때 뒤 전 후 번 데 채 뿐 것 수 등 및 다음 대신 가운데 반면 이후 이전 동안 대부분 사이 처음 실제 당시 현재 최근
경우 일부 모든 각 해당 자신 기타 주요 또는 이 그 저 예 참고 이름 방법 이른바 소위 즉 여기 하나 겨울철 여름철
정도 이상 이하 미만 초과 위 아래 안 밖
"""
_NOT_IN_TERMS = frozenset(_NEVER.split())
"""Nouns that stand before a term without being part of it."""

_DATED = re.compile(
    r"\d+(?:년|월|일|개월|주|시|분|초|개|명|원|번|가지|회|배|세기|비트|%)?(?:대|간|째|경)?"
    r"|[가-힣]*(?:대로|때)"
)
_PARTICLES = {"JKO": ("을", "를"), "JX": ("은", "는"), "JKG": ("의",), "JKB": ("에서", "에"), "JKS": ("이", "가")}
_CLAUSE_END = re.compile(
    r"(?:니다|한다|된다|인다|는다|있다|없다|하는|되는|있는|없는|하고|하며|되며|하여|해서"
    r"|또는|이란|라는|이나|는지|은지|된|않은|없이)$"
)
_SMALL_WORDS = frozenset({"of", "the", "a", "an", "in", "on", "for", "to", "and", "or", "by", "with", "from", "as"})
_LEADING_NUMBER = re.compile(r"^\d+(?=[가-힣]{2})(?!차|행|급|세대)")
_WORD = re.compile(r"[가-힣A-Za-z0-9·+#-]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedPair:
    """A Korean and an English term cut out of one mention."""

    ko: str
    en: str
    exact: bool
    """Whether nothing else could have been cut: no noun stands left of the term."""


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    n_parts: int
    """Nouns in it by kiwi, yet no more than one for two syllables (loanwords come apart), and 1 at least."""


def size_pairs(mentions: Iterable[Mention]) -> Iterator[SizedPair | None]:
    """Yields the right-sized pair of each mention, in order; None where no noun phrase touches the bracket.

    >>> from ko_synonyms.brackets import find_mentions
    >>> text = "여기서는 소형 언어 모델(SLM)과 가을 마라톤(marathon), 격리 수준(isolation level)을 본다."
    >>> [(pair.ko, pair.en) for pair in size_pairs(find_mentions(text)) if pair]
    [('소형 언어 모델', 'SLM'), ('마라톤', 'marathon'), ('격리 수준', 'isolation level')]
    """
    listed = list(mentions)
    korean = [m for m in listed if m.inside_is == "english"]
    analysed = iter(list(morphemes(m.left + _josa_behind(m) for m in korean)))
    for mention in listed:
        yield _korean_left(mention, next(analysed)) if mention.inside_is == "english" else _english_left(mention)


def n_english_parts(english: str) -> int:
    """How many parts of meaning an English term has: words without the small ones, or an abbreviation's letters.

    >>> [n_english_parts(e) for e in ("nuclear fission", "Statute of Labourers", "GDP", "mini-Neptune")]
    [2, 2, 3, 2]
    """
    if is_abbreviation(english):
        return sum(c.isalpha() for c in english)
    words = [w for w in re.split(r"[ /-]", english) if any(c.isalpha() for c in w)]
    return max(1, sum(w.lower() not in _SMALL_WORDS for w in words))


def _korean_left(mention: Mention, analysed: Sequence[Morpheme]) -> SizedPair | None:
    words = _noun_words(mention.left, analysed)
    if not words:
        return None
    wanted = n_english_parts(mention.full)
    taken = words[-1:]
    n_parts = taken[0].n_parts if likeness(taken[0].text, _last_word(mention.full)) < ENOUGH else 1
    while len(taken) < min(len(words), wanted) and n_parts < wanted:
        longer = words[-len(taken) - 1 :]
        if _sounds_complete(_text(taken), _text(longer), mention.full):
            break
        n_parts += longer[0].n_parts
        taken = longer
    return SizedPair(ko=_text(taken), en=mention.inside, exact=len(taken) == len(words))


def _sounds_complete(taken: str, longer: str, english: str) -> bool:
    """Whether `taken` is the whole English term in Hangul, and not only its last word."""
    alike = likeness(taken, english)
    only_last = " " in english.replace("-", " ") and likeness(taken, _last_word(english)) >= alike
    return alike >= max(ENOUGH, likeness(longer, english)) and not only_last


def _noun_words(left: str, analysed: Sequence[Morpheme]) -> list[_Word]:
    """The words of the noun phrase that ends `left`, first to last, as long as it can be."""
    last = _WORD.search(left)
    if not last or not has_hangul(last[0]):
        return []
    within = _inside(analysed, last.start(), last.end())
    text = _without_particle(last[0], within)
    is_noun = len(text) > 1 or any(m.tag in _NOUNS for m in within)
    if not is_noun or _CLAUSE_END.search(text) or text in _NOT_IN_TERMS:
        return []
    text = _LEADING_NUMBER.sub("", text)
    words = [_Word(text, _n_parts(text, within))]
    start = last.start()
    while start > 1 and left[start - 1] == " ":
        before = _WORD.search(left[: start - 1])
        inside = _inside(analysed, before.start(), before.end()) if before else []
        if not before or not _stands_in_term(before[0], inside):
            break
        words.insert(0, _Word(before[0], _n_parts(before[0], inside)))
        start = before.start()
    return words


def _stands_in_term(text: str, within: Sequence[Morpheme]) -> bool:
    if text in _NOT_IN_TERMS or _DATED.fullmatch(text) or not within:
        return False
    return all(m.tag in _PARTS or m.tag == "MM" for m in within) and any(m.tag in _NOUNS for m in within)


def _without_particle(text: str, within: Sequence[Morpheme]) -> str:
    """A particle between the term and its bracket, as in `모델을(model)`, goes; one that kiwi only imagines stays."""
    n_nouns = next((index for index, m in enumerate(within) if m.tag not in _PARTS), len(within))
    particles = within[n_nouns:]
    if n_nouns and particles and all(m.form in _PARTICLES.get(m.tag, ()) for m in particles):
        shorter = text.removesuffix("".join(m.form for m in particles))
        return shorter if len(shorter) > 1 else text
    return text


def _english_left(mention: Mention) -> SizedPair | None:
    """`namespace(네임스페이스)`: as many English words as the Korean term has parts, or one abbreviation."""
    words = mention.left.split()
    korean = mention.inside.strip()
    wanted = max(len(korean.split()), len(korean) // 2)
    taken = words[-1:]
    while len(taken) < len(words) and n_english_parts(" ".join(taken)) < wanted and not is_abbreviation(taken[0]):
        longer = words[-len(taken) - 1 :]
        alike = likeness(korean, " ".join(taken))
        if alike >= max(ENOUGH, likeness(korean, " ".join(longer))):
            break
        taken = longer
    if len(korean) < 2 or _CLAUSE_END.search(korean) or korean.split()[0] in _NOT_IN_TERMS:
        return None
    return SizedPair(ko=korean, en=" ".join(taken), exact=len(taken) == len(words))


def _josa_behind(mention: Mention) -> str:
    """The Hangul behind the bracket, put where the reader's mind puts it: it helps kiwi see a noun."""
    return mention.after[:6]


def _inside(analysed: Sequence[Morpheme], start: int, end: int) -> list[Morpheme]:
    return [m for m in analysed if m.start >= start and m.start < end]


def _n_parts(text: str, within: Sequence[Morpheme]) -> int:
    return max(1, min(len(text) // 2, sum(m.tag in _NOUNS for m in within)))


def _last_word(english: str) -> str:
    return re.split(r"[ /-]", english)[-1]


def _text(words: Sequence[_Word]) -> str:
    return " ".join(word.text for word in words)
