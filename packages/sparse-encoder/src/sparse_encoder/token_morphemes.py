"""What each token of a vocabulary stands for: morphemes of content, of which a query may be made, or of grammar.

A token of a vocabulary is a string: `됐` is 되 and 었, `##는데` an ending. Counted over passages, that tells an IDF
what to leave out, and lends each token the meaning and the rarity of its morphemes in general Korean.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from sparse_encoder._files import InputError, check_version, read_json
from sparse_encoder._kiwi import CONTENT_TAGS, Analysis, Morpheme, analysis, morphemes
from sparse_encoder.analysed import analysed
from sparse_encoder.general_korean import general_idf, known, ranks
from sparse_encoder.tokenizer_build import bare, is_syllable
from sparse_encoder.vocabulary import Vocabulary

WORDY_TAGS = (*CONTENT_TAGS, "NP", "MM", "MAJ", "IC")
"""Tags of what is a word by itself: content, and pronouns, determiners and interjections, which are common words."""
RARELY = 0.05
"""Share of a token's occurrences below which a morpheme is a slip of the analysis."""
VERSION = 1


class TokenMorpheme(msgspec.Struct, frozen=True, kw_only=True):
    """What one token stands for."""

    content: float
    """Of its occurrences, those in which it stands for a morpheme that is a word, and not for grammar alone."""
    general_idf: float
    """How telling those morphemes are in general Korean, on average; grammar counts 0."""
    morphemes: dict[str, float]
    """`form/TAG` to its share of the occurrences, the commonest first; grammar is left out."""


class TokenMorphemes(msgspec.Struct, frozen=True, kw_only=True):
    """The table, as docs/formats/token_morphemes.md has it; tokens without Hangul are left out."""

    format: str = "token_morphemes"
    version: int = VERSION
    analysis: Analysis
    n_passages: int
    vocabulary_sha256: str
    tokens: dict[str, TokenMorpheme]


def find_token_morphemes(texts: Iterable[str], vocabulary: Vocabulary) -> TokenMorphemes:
    """Finds what the tokens with Hangul stand for; one that occurs in no text is analysed by itself."""
    seen: defaultdict[int, Counter[tuple[Morpheme, ...]]] = defaultdict(Counter)
    n_texts = 0
    for found in _aligned(texts, vocabulary):
        n_texts += 1
        for token, stands_for in found:
            seen[token][stands_for] += 1
    korean = [i for i, token in enumerate(vocabulary.tokens) if any(map(is_syllable, token))]
    unseen = [i for i in korean if i not in seen]
    for i, alone in zip(unseen, morphemes(bare(vocabulary.tokens[i]) for i in unseen), strict=True):
        seen[i][tuple(_plain(m) for m in alone)] += 1
    return TokenMorphemes(
        analysis=analysis(WORDY_TAGS),
        n_passages=n_texts,
        vocabulary_sha256=vocabulary.sha256,
        tokens={vocabulary.tokens[i]: _judged(seen[i]) for i in korean},
    )


def _aligned(texts: Iterable[str], vocabulary: Vocabulary) -> Iterator[list[tuple[int, tuple[Morpheme, ...]]]]:
    """Yields, for each text, its tokens and the morphemes that share characters with each."""
    for text, tokens, found in analysed(texts, vocabulary):
        at: list[list[Morpheme]] = [[] for _ in text]
        for morpheme in found:
            for character in range(morpheme.start, max(morpheme.end, morpheme.start + 1)):
                at[character].append(_plain(morpheme))
        yield [
            (token, tuple(dict.fromkeys(m for held in at[start:end] for m in held)))
            for token, (start, end) in zip(tokens.ids, tokens.offsets, strict=True)
        ]


def _plain(morpheme: Morpheme) -> Morpheme:
    """Without its place, so that it can be counted."""
    return morpheme._replace(start=0, end=0)


def _judged(occurrences: Counter[tuple[Morpheme, ...]]) -> TokenMorpheme:
    n_all = occurrences.total()
    shares: defaultdict[str, float] = defaultdict(float)
    n_content, idf = 0, 0.0
    for stands_for, n in occurrences.items():
        words = [m for m in stands_for if m.tag in WORDY_TAGS]
        n_content += n if words else 0
        idf += n * max((general_idf(ranks().get((m.form, m.tag), len(known()))) for m in words), default=0.0)
        for m in words:
            shares[f"{m.form}/{m.tag}"] += n / n_all / len(words)
    common = sorted((m for m in shares.items() if m[1] >= RARELY), key=lambda m: (-m[1], m[0]))
    return TokenMorpheme(
        content=round(n_content / n_all, 4),
        general_idf=round(idf / n_all, 4),
        morphemes={name: round(share, 4) for name, share in common},
    )


def read_token_morphemes(path: Path, vocabulary: Vocabulary) -> TokenMorphemes:
    """Reads the table; InputError where it was made with another tokenizer."""
    found = read_json(path, TokenMorphemes)
    check_version(path, "token_morphemes", found.version)
    if found.vocabulary_sha256 != vocabulary.sha256:
        raise InputError(f"{path}: was made with another tokenizer; make it again: sparse-encoder tokenizer morphemes")
    return found
