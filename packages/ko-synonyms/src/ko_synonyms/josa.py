"""Particles that fit the word before them: `검색을` becomes `search를`, since `search` is read as 서치.

Which particle follows depends on the last sound, which for an English word is that of its Korean reading.
"""

import re

_PAIRS = (
    ("이라는", "라는"), ("이라고", "라고"), ("이라면", "라면"), ("이란", "란"),
    ("이나", "나"), ("이며", "며"), ("이든", "든"),
    ("으로", "로"), ("은", "는"), ("을", "를"), ("과", "와"), ("이", "가"), ("아", "야"),
)  # fmt: skip
"""Particles after a final consonant and after a vowel; longer ones first, since they begin with shorter ones."""

_LETTERS_WITH_FINAL = "LMNR"
_DIGITS_WITH_FINAL = "013678"
_FINAL_SOUND = re.compile(r"(?:[lmn]e?|ng|mb|gn|(?:^|[^aeiouy])[aeiou](?:[bpktcg]|ck|pp|tt))$")
"""call, file, ranking, climb, design; or a stop after one short vowel: web, map, stack, topic, log."""


def adjust(josa: str, word: str) -> str:
    """The form of a particle, or of what begins with one, that fits the word before it.

    >>> adjust("을", "search"), adjust("를", "embedding"), adjust("로", "model"), adjust("으로부터", "API")
    ('를', '을', '로', '로부터')
    >>> adjust("에서", "서버")
    '에서'
    """
    for after_final, after_vowel in _PAIRS:
        for form in (after_final, after_vowel):
            if josa.startswith(form) and (len(form) > 1 or josa == form or form in "은는을를과와"):
                fits_vowel = not has_final(word) or (after_final == "으로" and ends_in_l(word))
                return (after_vowel if fits_vowel else after_final) + josa[len(form) :]
    return josa


def has_final(word: str) -> bool:
    """Whether a word, as Korean reads it, ends in a consonant.

    >>> [has_final(w) for w in ("검색", "서버", "search", "token", "GDP", "SQL", "HTTP2", "web")]
    [True, False, False, True, False, True, False, True]
    """
    last = word[-1:]
    if "가" <= last <= "힣":
        return (ord(last) - ord("가")) % 28 > 0
    if last.isdigit():
        return last in _DIGITS_WITH_FINAL
    if last.isupper():
        return last in _LETTERS_WITH_FINAL
    return bool(_FINAL_SOUND.search(word.lower()))


def ends_in_l(word: str) -> bool:
    """Whether a word, as Korean reads it, ends in ㄹ, after which 로 stands and not 으로.

    >>> [ends_in_l(w) for w in ("서울", "model", "file", "SQL", "token", "7")]
    [True, True, True, True, False, True]
    """
    last = word[-1:]
    if "가" <= last <= "힣":
        return (ord(last) - ord("가")) % 28 == 8
    if last.isdigit():
        return last in "178"
    if last.isupper():
        return last in "LR"
    return word.lower().endswith(("l", "le"))
