"""What a query is made of: its scripts, its words, what it shares with a passage.

All on NFC text and without a morphological analyser, so that the filters need nothing installed.
"""

import re
import unicodedata

LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z0-9+#.\-]*")
WORD = re.compile(r"[가-힣]+|[A-Za-z0-9][A-Za-z0-9+#.\-]*")
NOT_LETTERS = re.compile(r"[\W_]+")


def is_hangul(character: str) -> bool:
    """Whether a character is a Hangul syllable or letter.

    >>> [is_hangul(c) for c in "가ㅋa1漢"]
    [True, True, False, False, False]
    """
    return "가" <= character <= "힣" or "ㄱ" <= character <= "ㆎ"


def is_latin(character: str) -> bool:
    """Whether a character is a Latin letter, accented ones included."""
    return character.isalpha() and unicodedata.name(character, "").startswith("LATIN")


def hangul_share(query: str, passage: str = "") -> float:
    """The share of Hangul among a query's letters; Latin words that the passage itself writes do not count.

    >>> hangul_share("SSH 공개 키 등록"), hangul_share("SSH 공개 키 등록", "ssh 키를 쓴다"), hangul_share("ssh key")
    (0.625, 1.0, 0.0)
    """
    known = {word.lower() for word in LATIN_WORD.findall(passage)}
    without = LATIN_WORD.sub(lambda found: "" if found.group().lower() in known else found.group(), query)
    letters = [character for character in without if character.isalpha()]
    if not any(is_hangul(character) for character in letters):
        return 0.0
    return sum(is_hangul(character) for character in letters) / len(letters)


def foreign_letters(query: str, passage: str = "") -> str:
    """The letters of a query that are neither Hangul nor Latin and that its passage does not hold.

    Models trained on much Chinese slip into it within a Korean text.

    >>> foreign_letters("전자레인지 金属 불꽃과 λ", "파장 λ")
    '金属'
    """
    return "".join(
        character
        for character in query
        if character.isalpha() and not is_hangul(character) and not is_latin(character) and character not in passage
    )


def squeezed(text: str) -> str:
    """Text in lower case without spaces and punctuation: what equal queries have in common.

    >>> squeezed("희소 검색이, 뭐야?") == squeezed("희소검색이 뭐야")
    True
    """
    return NOT_LETTERS.sub("", text.lower())


def copied_span(query: str, passage: str) -> str:
    """The longest run of characters of a query that the passage holds, spaces made single and case ignored.

    >>> copied_span("단어마다 가중치를 두는 까닭", "희소 검색은 단어마다  가중치(weight)를 둔다.")
    '단어마다 가중치'
    """
    query, passage = (" ".join(text.lower().split()) for text in (query, passage))
    low, high, best = 0, len(query), ""
    while low < high:
        length = (low + high + 1) // 2
        spans = (query[start : start + length] for start in range(len(query) - length + 1))
        found = next((span for span in spans if span in passage), None)
        if found is None:
            high = length - 1
        else:
            low, best = length, found
    return best.strip()


def shingles(text: str, n: int = 3) -> frozenset[str]:
    """The runs of n characters in a squeezed text; the whole of a shorter one.

    >>> sorted(shingles("검색 엔진"))
    ['검색엔', '색엔진']
    """
    whole = squeezed(text)
    return frozenset(whole[start : start + n] for start in range(max(1, len(whole) - n + 1)))
