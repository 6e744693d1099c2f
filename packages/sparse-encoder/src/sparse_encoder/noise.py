"""Tokens that are noise in a vector: particles, endings and punctuation, found in a corpus by what kiwi takes them for.

A token is noise where nearly all its occurrences are, and it is frequent: the same string can be a noun elsewhere.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from sparse_encoder._files import InputError, check_version, read_json
from sparse_encoder._kiwi import Analysis, Morpheme, analysis
from sparse_encoder.analysed import analysed
from sparse_encoder.vocabulary import Vocabulary

NOISE_TAGS = (
    *("JKS", "JKC", "JKG", "JKO", "JKB", "JKV", "JKQ", "JX", "JC"),
    *("EP", "EF", "EC", "ETN", "ETM"),
    *("XSV", "XSA", "VCP", "SF", "SP", "SS", "SSO", "SSC", "SE", "SO", "SW", "SB"),
)
"""Sejong tags of particles, endings, verb-making suffixes, the copula and punctuation."""
VERSION = 1


class NoiseToken(msgspec.Struct, frozen=True, kw_only=True):
    """Why a token is noise."""

    share: float
    """Of its occurrences, those that stand for nothing but noise."""
    document_frequency: float
    """Share of the passages that have it."""


class NoiseTokens(msgspec.Struct, frozen=True, kw_only=True):
    """The list, as docs/formats/noise_tokens.md has it, the most frequent token first."""

    format: str = "noise_tokens"
    version: int = VERSION
    analysis: Analysis
    n_passages: int
    vocabulary_sha256: str
    tokens: dict[str, NoiseToken]


def find_noise(
    texts: Iterable[str], vocabulary: Vocabulary, *, min_share: float = 0.9, min_frequency: float = 0.01
) -> NoiseTokens:
    """Finds the tokens that are noise in at least `min_share` of their occurrences and in `min_frequency` of the texts.

    Tokens of punctuation alone are noise wherever they stand. Texts are read as a stream.
    """
    seen: Counter[int] = Counter()
    noisy: Counter[int] = Counter()
    documents: Counter[int] = Counter()
    n_texts = 0
    for found in _judged(texts, vocabulary):
        n_texts += 1
        documents.update({token for token, _ in found})
        seen.update(token for token, _ in found)
        noisy.update(token for token, is_noise in found if is_noise)
    if not n_texts:
        raise InputError("there is no passage to find noise in")
    special = set(vocabulary.special_ids)
    chosen = [
        i
        for i, n in documents.items()
        if i not in special and noisy[i] >= min_share * seen[i] and n >= min_frequency * n_texts
    ]
    chosen.sort(key=lambda i: (-documents[i], i))
    return NoiseTokens(
        analysis=analysis(NOISE_TAGS),
        n_passages=n_texts,
        vocabulary_sha256=vocabulary.sha256,
        tokens={
            vocabulary.tokens[i]: NoiseToken(
                share=round(noisy[i] / seen[i], 4), document_frequency=round(documents[i] / n_texts, 4)
            )
            for i in chosen
        },
    )


def _judged(texts: Iterable[str], vocabulary: Vocabulary) -> Iterator[list[tuple[int, bool]]]:
    """Yields, for each text, its tokens and whether each stands for noise alone."""
    for text, tokens, found in analysed(texts, vocabulary):
        kept = _content(found, len(text))
        yield [
            (token, not any(kept[start:end]) or not any(c.isalnum() for c in text[start:end]))
            for token, (start, end) in zip(tokens.ids, tokens.offsets, strict=True)
        ]


def _content(found: Sequence[Morpheme], n_characters: int) -> bytearray:
    """1 for every character that a morpheme of content covers; contracted ones share their characters."""
    kept = bytearray(n_characters)
    for morpheme in found:
        if morpheme.tag not in NOISE_TAGS:
            kept[morpheme.start : morpheme.end] = b"\1" * (morpheme.end - morpheme.start)
    return kept


def read_noise(path: Path, vocabulary: Vocabulary) -> list[int]:
    """The ids of the tokens of a list, ascending; InputError where it was made with another tokenizer."""
    found = read_json(path, NoiseTokens)
    check_version(path, "noise_tokens", found.version)
    if found.vocabulary_sha256 != vocabulary.sha256:
        raise InputError(f"{path}: was made with another tokenizer; make it again: sparse-encoder tokenizer noise")
    return sorted(vocabulary.ids[token] for token in found.tokens)
