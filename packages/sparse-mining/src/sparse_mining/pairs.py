"""Pairs of a query and its passage: what training groups are mined for.

A pair says where it came from (`kind`), which decides whether it may be validated on and how many are taken.
"""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from sparse_mining._files import InputError, read_jsonl
from sparse_mining.passages import Collection

Kind = Literal["title", "first_sentence", "heading", "question", "synthetic", "paraphrase", "code_mixed"]
Split = Literal["train", "val", "test"]

DERIVED_KINDS: frozenset[Kind] = frozenset({"synthetic", "paraphrase", "code_mixed"})
"""Kinds that a machine wrote or rewrote: never validated on."""

GENERATED_KINDS: frozenset[Kind] = frozenset({"synthetic", "paraphrase"})
"""Kinds that a language model wrote: bounded against the real ones."""


class Pair(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a pairs file."""

    query_id: str
    query: str
    doc_id: str
    kind: Kind
    language: str = msgspec.field(default_factory=str)
    source: str = msgspec.field(default_factory=str)
    split: Split | None = None


def read_pairs(paths: Sequence[Path], collection: Collection) -> list[Pair]:
    """Reads pairs of several files in order; InputError where one is bad or names a passage that is not there."""
    pairs: list[Pair] = []
    for path in paths:
        n_before = len(pairs)
        for number, pair in enumerate(read_jsonl(path, Pair), start=1):
            if pair.doc_id not in collection.rows:
                raise InputError(
                    f"{path}: pair {number}, query_id {pair.query_id!r}: doc_id {pair.doc_id!r} is not in "
                    f"{collection.path}: make the pairs from these passages"
                )
            if not pair.query.strip():
                raise InputError(f"{path}: pair {number}, query_id {pair.query_id!r}: the query is empty")
            pairs.append(pair)
        if len(pairs) == n_before:
            raise InputError(f"{path}: holds no pair")
    return pairs


def normal(text: str) -> str:
    """A text as it is compared: NFKC, case folded, spaces of any kind made one.

    >>> normal("  희소  검색\\nＡＢ ")
    '희소 검색 ab'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
