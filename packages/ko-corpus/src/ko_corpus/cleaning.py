"""Cleaning: one spelling for the same text, with nothing that a reader could see taken away.

Runs before deduplication, so that copies that differ only in invisible characters are found equal.
"""

import re
import unicodedata

import msgspec

from .documents import Document

_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_INNER_SPACES = re.compile(r"(?<=\S)[^\S\n]+")
_OTHER_SPACE = re.compile(r"[^\S\n ]")
_BLANK_LINES = re.compile(r"\n(?: *\n)+")
_HANGUL = re.compile("[가-힣ㄱ-ㅎㅏ-ㅣ]")
_LETTER = re.compile(r"[^\W\d_]")

KOREAN_SHARE = 0.1
"""A text with at least this share of Hangul among its letters is Korean, however much English is mixed in."""


def clean_text(text: str) -> str:
    r"""NFC, `\n`, plain single spaces, single blank lines; no control, zero-width or direction characters.

    Indentation is kept. Cleaning a clean text changes nothing.

    >>> clean_text("희소\u200b 검색은\u00a0 \r\n\r\n\r\n단어마다\t가중치를")
    '희소 검색은\n\n단어마다 가중치를'
    """
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", _LINE_END.sub("\n", text)))
    lines = (_OTHER_SPACE.sub(" ", _INNER_SPACES.sub(" ", line)).rstrip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def clean_line(text: str) -> str:
    r"""The text cleaned and on one line, as a title is.

    >>> clean_line(" 희소\n 검색 ")
    '희소 검색'
    """
    return " ".join(clean_text(text).split())


def guess_language(text: str) -> str:
    """`ko` where Hangul is at least a tenth of the letters, otherwise `en`; "" for a text without letters.

    >>> guess_language("Kubernetes 클러스터를"), guess_language("sparse vector"), guess_language("12.5")
    ('ko', 'en', '')
    """
    n_letters = len(_LETTER.findall(text))
    if n_letters == 0:
        return ""
    return "ko" if len(_HANGUL.findall(text)) >= KOREAN_SHARE * n_letters else "en"


def clean(document: Document) -> Document:
    """The document with title and text cleaned, the date without its time and the language guessed if unknown."""
    text = clean_text(document.text)
    return msgspec.structs.replace(
        document,
        id=unicodedata.normalize("NFC", document.id),
        title=clean_line(document.title),
        text=text,
        language=document.language or guess_language(text),
        published=document.published[:10] if document.published else None,
    )
