"""The records that ko-synonyms reads and writes, one class per line format of docs/formats.

Everything that crosses a file is here, so that whoever asks "what is in this file" opens one module.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from ko_synonyms._files import InputError, read_jsonl

EvidenceKind = Literal["curated", "parenthesis", "transliteration", "cooccurrence", "dictionary"]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One reason to believe in a pair: what kind, where it was found and how often there."""

    kind: EvidenceKind
    source: str
    """A passage's id, a file's name, or `others` for the sum of those not listed."""
    count: int


class Synonym(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a dictionary with its reasons; `verdict` is what a judge said, None where nobody was asked."""

    ko: str
    en: str
    confidence: float
    """0 to 1."""
    evidence: tuple[Evidence, ...]
    verdict: Literal["yes", "no"] | None = None


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A pair that is not sure enough to be an entry and waits for a verdict."""

    pair_id: str
    """`<ko>|<en>`."""
    ko: str
    en: str
    confidence: float
    evidence: tuple[Evidence, ...]
    contexts: tuple[str, ...]
    """Up to three sentences in which the pair stands."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a judge, a language model or a person, says about one candidate."""

    pair_id: str
    ko: str
    en: str
    verdict: Literal["yes", "no"]
    confidence: float
    """0 to 1: how sure the judge is of the verdict given."""
    reason: str = ""
    model: str = ""
    task: str = ""
    task_version: str = ""


class CuratedPair(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of a list written by people."""

    ko: str
    en: str


class TermPair(msgspec.Struct, frozen=True, kw_only=True):
    """Two terms whose representations training should bring together."""

    ko: str
    en: str
    weight: float
    """0 to 1."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A query and the passage that answers it."""

    query_id: str
    query: str
    doc_id: str
    kind: str
    language: str
    source: str
    split: str | msgspec.UnsetType = msgspec.UNSET


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A passage as BEIR's corpus.jsonl has it; what else the line holds is not needed here."""

    id: str = msgspec.field(name="_id")
    title: str = ""
    text: str


def pair_id(ko: str, en: str) -> str:
    """The id by which candidates and verdicts name a pair.

    >>> pair_id("색인", "index")
    '색인|index'
    """
    return f"{ko}|{en}"


def document_id(passage_id: str) -> str:
    """The document a passage was cut from.

    >>> document_id("doc-1#12"), document_id("alone")
    ('doc-1', 'alone')
    """
    return passage_id.rpartition("#")[0] or passage_id


def read_passages(path: Path) -> Iterator[Passage]:
    """Yields the passages of a BEIR folder, or of a corpus.jsonl, as NFC."""
    file = path / "corpus.jsonl" if path.is_dir() else path
    for passage in read_jsonl(file, Passage):
        yield msgspec.structs.replace(passage, text=unicodedata.normalize("NFC", passage.text))


def read_curated(path: Path) -> list[CuratedPair]:
    """Reads a list of `ko, en` lines; InputError where `ko` has no Hangul, `en` has some, or a pair repeats."""
    pairs: list[CuratedPair] = []
    for number, line in enumerate(read_jsonl(path, CuratedPair), start=1):
        pair = CuratedPair(ko=_clean(line.ko), en=_clean(line.en))
        if not has_hangul(pair.ko):
            raise InputError(f"{path}: record {number}: 'ko' is {pair.ko!r}: wanted a term with Hangul")
        if not pair.en or has_hangul(pair.en):
            raise InputError(f"{path}: record {number}: 'en' is {pair.en!r}: wanted a term without Hangul")
        if pair in pairs:
            raise InputError(f"{path}: record {number}: {pair.ko!r} = {pair.en!r} is there twice: remove one")
        pairs.append(pair)
    return pairs


def has_hangul(text: str) -> bool:
    """Whether a Hangul syllable occurs in the text.

    >>> has_hangul("QR 코드"), has_hangul("QR code")
    (True, False)
    """
    return any("가" <= character <= "힣" for character in text)


def _clean(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
