"""Analysers: how a text becomes the terms that BM25 counts, each under an identity.

An index made with one analyser means nothing to another, so the identity is stored with it and compared.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from sparse_mining._files import InputError, sha256
from sparse_mining._kiwi import CONTENT_TAGS, Analysis, Morpheme, analysis, morphemes, terms

SIMPLE = ("kiwi", "kiwi+compounds", "words", "bigrams")
"""Analysers that need no file."""
NAMES = (*SIMPLE, "wordpiece:TOKENIZER")

COMPOUND_TAGS = ("NNG", "NNP")
"""Nouns that make compounds."""

_WORD = re.compile(r"\w+")
_RUN = re.compile(r"(?P<characters>[가-힣ㄱ-ㆎ一-鿿぀-ヿ]+)|[^\W가-힣ㄱ-ㆎ一-鿿぀-ヿ]+")


class Analyser(Protocol):
    """Cuts texts into terms."""

    def identity(self) -> Analysis:
        """Equal for two analysers only if they cut every text alike."""
        ...

    def terms(self, texts: Iterable[str]) -> Iterator[list[str]]:
        """Yields each text's terms in order, repeats kept."""
        ...


def analyser(spec: str) -> Analyser:
    """The analyser of that name: kiwi, kiwi+compounds, words, bigrams or wordpiece:PATH; InputError for any other."""
    name, _, argument = spec.partition(":")
    if name == "wordpiece" and argument:
        return WordPiece(tokenizer_path(Path(argument)))
    simple: tuple[Analyser, ...] = (Kiwi(), KiwiCompounds(), Words(), Bigrams())
    if argument or name not in SIMPLE:
        raise InputError(f"analyser {spec!r} is not known: wanted one of {', '.join(NAMES)}")
    return simple[SIMPLE.index(name)]


def tokenizer_path(path: Path) -> Path:
    """The `tokenizer.json` of a folder, or the file itself; InputError where there is none."""
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"{file}: no such file: give a tokenizer.json or the folder that holds one")
    return file


@dataclass(frozen=True, slots=True)
class Kiwi:
    """Nouns, verbs, adjectives, foreign words and numbers, as kiwi finds them."""

    def identity(self) -> Analysis:
        return analysis()

    def terms(self, texts: Iterable[str]) -> Iterator[list[str]]:
        return terms(texts)


@dataclass(frozen=True, slots=True)
class KiwiCompounds:
    """What kiwi finds, and after it each compound noun whole: nouns that stand together without a space.

    >>> list(KiwiCompounds().terms(["검색엔진을 만든다"]))
    [['검색', '엔진', '검색엔진', '만들']]
    """

    def identity(self) -> Analysis:
        found = analysis()
        return msgspec.structs.replace(found, options={**found.options, "compounds": True})

    def terms(self, texts: Iterable[str]) -> Iterator[list[str]]:
        for found in morphemes(texts):
            yield list(_with_compounds(found))


def _with_compounds(found: Iterable[Morpheme]) -> Iterator[str]:
    compound: list[Morpheme] = []
    for morpheme in found:
        if compound and (morpheme.tag not in COMPOUND_TAGS or morpheme.start != compound[-1].end):
            yield from _whole(compound)
            compound = []
        if morpheme.tag in COMPOUND_TAGS:
            compound.append(morpheme)
        if morpheme.tag in CONTENT_TAGS:
            yield morpheme.form.lower()
    yield from _whole(compound)


def _whole(compound: list[Morpheme]) -> Iterator[str]:
    if len(compound) > 1:
        yield "".join(morpheme.form for morpheme in compound).lower()


@dataclass(frozen=True, slots=True)
class Words:
    """Runs of letters and digits, lower-cased: the baseline that knows no Korean.

    >>> list(Words().terms(["Sparse 검색은, 된다."]))
    [['sparse', '검색은', '된다']]
    """

    def identity(self) -> Analysis:
        return _plain_identity("words")

    def terms(self, texts: Iterable[str]) -> Iterator[list[str]]:
        for text in texts:
            yield _WORD.findall(unicodedata.normalize("NFC", text).lower())


@dataclass(frozen=True, slots=True)
class Bigrams:
    """Overlapping pairs of characters of Hangul, Han and kana; words of other scripts whole.

    >>> list(Bigrams().terms(["BM25로 검색엔진"]))
    [['bm25', '로', '검색', '색엔', '엔진']]
    """

    def identity(self) -> Analysis:
        return _plain_identity("bigrams")

    def terms(self, texts: Iterable[str]) -> Iterator[list[str]]:
        for text in texts:
            found: list[str] = []
            for run in _RUN.finditer(unicodedata.normalize("NFC", text).lower()):
                word = run.group()
                if run["characters"] and len(word) > 1:
                    found.extend(word[i : i + 2] for i in range(len(word) - 1))
                else:
                    found.append(word)
            yield found


@dataclass(frozen=True, slots=True)
class WordPiece:
    """The tokens of a `tokenizer.json`, special ones left out."""

    path: Path

    def identity(self) -> Analysis:
        return Analysis(analyser="wordpiece", analyser_version=sha256(self.path), tags=())

    def terms(self, texts: Iterable[str]) -> Iterator[list[str]]:
        from sparse_mining.tokens import load_tokenizer

        tokenizer = load_tokenizer(self.path)
        for text in texts:
            encoding = tokenizer.encode(unicodedata.normalize("NFC", text), add_special_tokens=False)
            yield list(encoding.tokens)


def _plain_identity(name: str) -> Analysis:
    return Analysis(analyser=name, analyser_version="1", tags=(), options={"lowercase": True})
