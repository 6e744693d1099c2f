"""The dictionary file `{term: [terms]}` and the evidence beside it: reading, writing and agreement of the two.

The dictionary says what is in, the evidence says why: whoever edits a dictionary by hand need not touch the evidence.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from ko_synonyms._files import InputError, read_json, read_jsonl, write_jsonl, write_text
from ko_synonyms.records import Evidence, Synonym, has_hangul

Dictionary = dict[str, list[str]]
"""Every term, Korean or English, with those of the other language that mean the same, most certain first."""


def as_dictionary(synonyms: Iterable[Synonym]) -> Dictionary:
    """The dictionary of some entries: both directions, terms in order, meanings by confidence and then by name.

    >>> one = Synonym(ko="검색", en="search", confidence=0.9, evidence=())
    >>> two = Synonym(ko="탐색", en="search", confidence=0.5, evidence=())
    >>> as_dictionary([two, one])
    {'search': ['검색', '탐색'], '검색': ['search'], '탐색': ['search']}
    """
    meanings: dict[str, list[str]] = defaultdict(list)
    for synonym in sorted(synonyms, key=lambda s: (-s.confidence, s.ko, s.en)):
        meanings[synonym.ko].append(synonym.en)
        meanings[synonym.en].append(synonym.ko)
    return {term: list(dict.fromkeys(meanings[term])) for term in sorted(meanings)}


def evidence_path(dictionary: Path) -> Path:
    """Where the evidence of a dictionary lies: beside it.

    >>> evidence_path(Path("bilingual_synonyms.json")).as_posix()
    'bilingual_synonyms.evidence.jsonl'
    """
    return dictionary.with_name(f"{dictionary.stem}.evidence.jsonl")


def read_dictionary(path: Path) -> Dictionary:
    """Reads a dictionary file as it is."""
    return read_json(path, Dictionary)


def write_dictionary(path: Path, dictionary: Mapping[str, list[str]]) -> None:
    """Writes a dictionary file, a term a line."""
    lines = (f"  {_quoted(term)}: [{', '.join(map(_quoted, terms))}]" for term, terms in dictionary.items())
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n" if dictionary else "{}\n")


def read_evidence(path: Path) -> list[Synonym]:
    """Reads the evidence of a dictionary."""
    return list(read_jsonl(path, Synonym))


def write_evidence(path: Path, synonyms: Iterable[Synonym]) -> int:
    """Writes the evidence of a dictionary and returns the number of pairs."""
    return write_jsonl(path, synonyms)


def read_synonyms(dictionary: Path, evidence: Path | None) -> list[Synonym]:
    """The entries of a dictionary, with their evidence where the evidence file has them.

    A pair that only the dictionary has, written in by hand, is taken at confidence 1; one that only the evidence has
    was taken out and stays out. `evidence` None means that there is no such file: all are taken at confidence 1.
    """
    known = {(s.ko, s.en): s for s in read_evidence(evidence)} if evidence else {}
    by_hand = (Evidence(kind="dictionary", source=dictionary.name, count=1),)
    pairs = sorted(_pairs(dictionary, read_dictionary(dictionary)))
    return [
        known.get((ko, en)) or Synonym(ko=ko, en=en, confidence=1.0, evidence=by_hand)
        for ko, en in pairs
    ]  # fmt: skip


def _pairs(path: Path, dictionary: Mapping[str, list[str]]) -> set[tuple[str, str]]:
    pairs = set()
    for term, others in dictionary.items():
        for other in others:
            if has_hangul(term) == has_hangul(other):
                raise InputError(f"{path}: {term!r}: [{other!r}]: wanted a Korean and an English term")
            pairs.add((term, other) if has_hangul(term) else (other, term))
    return pairs


def _quoted(term: str) -> str:
    return json.dumps(term, ensure_ascii=False)
