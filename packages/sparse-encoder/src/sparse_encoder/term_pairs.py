"""Pairs of a Korean and an English term, or of whole sentences, for the alignment loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Annotated

import msgspec

from sparse_encoder._files import InputError, read_jsonl
from sparse_encoder.vocabulary import Vocabulary

TERM_TOKENS = 16
"""Tokens of a term that are read, its two special ones among them."""


class TermPair(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a term pairs file, or of a parallel one, whose weights are all 1."""

    ko: str
    en: str
    weight: Annotated[float, msgspec.Meta(ge=0)] = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Term pairs cut into tokens, as documents are: pair i is `korean[i]` and `english[i]`."""

    korean: list[list[int]]
    english: list[list[int]]
    weights: list[float]
    files: list[range]
    """Which pairs are of one file. A step draws from one alone: what tells the terms of two files from each other, a
    few words that all of one file hold, is not what they mean."""


def read_terms(path: Path, vocabulary: Vocabulary, *, max_tokens: int = TERM_TOKENS) -> Terms:
    """Reads the pairs; those with a side that has no token of the vocabulary, or of no weight, are left out.

    InputError where none is left, on which a run would train without alignment and not say so.
    """
    pairs = list(read_jsonl(path, TermPair))
    if not pairs:
        raise InputError(f"{path}: holds no term pair")
    korean = vocabulary.encode([p.ko for p in pairs], max_tokens=max_tokens, special=True)
    english = vocabulary.encode([p.en for p in pairs], max_tokens=max_tokens, special=True)
    special = frozenset(vocabulary.special_ids)
    kept = [
        i
        for i, (k, e) in enumerate(zip(korean, english, strict=True))
        if pairs[i].weight > 0 and not special.issuperset(k) and not special.issuperset(e)
    ]
    if not kept:
        raise InputError(
            f"{path}: none of its {len(pairs)} pairs has a weight above 0 and a token of the tokenizer on both sides; "
            f"is it the model's tokenizer?"
        )
    return Terms(
        korean=[korean[i] for i in kept],
        english=[english[i] for i in kept],
        weights=[pairs[i].weight for i in kept],
        files=[range(len(kept))],
    )


def joined(parts: Sequence[Terms]) -> Terms:
    """All pairs of several files, in order."""
    starts = accumulate((len(part.weights) for part in parts), initial=0)
    return Terms(
        korean=[t for part in parts for t in part.korean],
        english=[t for part in parts for t in part.english],
        weights=[w for part in parts for w in part.weights],
        files=[
            range(start + f.start, start + f.stop)
            for start, part in zip(starts, parts, strict=False)
            for f in part.files
        ],
    )
