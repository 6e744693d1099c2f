"""Tokenizers side by side on the same passages: how they cut Korean, and what BM25 finds on their tokens."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from sparse_encoder._files import InputError
from sparse_encoder._kiwi import morphemes
from sparse_encoder.pieces import boundaries
from sparse_encoder.token_bm25 import Qrels, TokenIndex, ndcg_at_10
from sparse_encoder.tokenizer_build import ROLES
from sparse_encoder.vocabulary import Vocabulary


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of one tokenizer; shares are 0 to 1."""

    tokenizer: str
    n_tokens: int
    """Size of the vocabulary."""
    used: float
    """Share of it that the passages use."""
    pieces_per_word: float
    """Tokens to a word between spaces."""
    whole_words: float
    """Share of the words that are one token."""
    unknown: float
    """Share of the tokens that are unknown."""
    coverage: float
    """Share of the characters, spaces aside, that stand in a known token."""
    morpheme_cuts: float
    """Share of kiwi's cuts inside words at which the tokenizer cuts too."""
    bm25_ndcg_at_10: float | None = None
    """Of BM25 on these tokens, where there are queries and judgements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Queries with judgements, and the ids of the passages they are about, in the passages' order."""

    queries: Mapping[str, str]
    qrels: Qrels
    doc_ids: Sequence[str]


def compare(
    tokenizers: Mapping[str, Vocabulary], texts: Sequence[str], *, judged: Judged | None = None
) -> list[Measures]:
    """Measures every tokenizer on `texts`, which are held in memory, in the order given."""
    if not texts:
        raise InputError("there is no passage to compare tokenizers on")
    normal = [unicodedata.normalize("NFC", text) for text in texts]
    cuts = [_inner_cuts(text, boundaries(found)) for text, found in zip(normal, morphemes(normal), strict=True)]
    return [_measure(name, vocabulary, normal, cuts, judged) for name, vocabulary in tokenizers.items()]


def _inner_cuts(text: str, cuts: Sequence[int]) -> frozenset[int]:
    """The cuts inside words: every tokenizer cuts at a space."""
    return frozenset(
        cut for cut in cuts if 0 < cut < len(text) and not (text[cut - 1].isspace() or text[cut].isspace())
    )


def _measure(
    name: str, vocabulary: Vocabulary, texts: Sequence[str], cuts: Sequence[frozenset[int]], judged: Judged | None
) -> Measures:
    encoded = vocabulary.tokenizer.encode_batch(list(texts), add_special_tokens=False)
    unknown = {vocabulary.ids[token] for token in ROLES["unk_token"] if token in vocabulary.ids}
    n_words = n_whole = n_pieces = n_unknown = n_lost = n_found = 0
    for text, e, wanted in zip(texts, encoded, cuts, strict=True):
        starts = [_first(text, start, end) for start, end in e.offsets]
        n_pieces += len(e.ids)
        n_unknown += sum(i in unknown for i in e.ids)
        n_lost += sum(_n_letters(text[a:b]) for i, (a, b) in zip(e.ids, e.offsets, strict=True) if i in unknown)
        n_found += len(wanted.intersection(starts))
        pieces = _pieces_of_words(text, starts)
        n_words += len(pieces)
        n_whole += pieces.count(1)
    return Measures(
        tokenizer=name,
        n_tokens=len(vocabulary.tokens),
        used=round(len({i for e in encoded for i in e.ids}) / len(vocabulary.tokens), 4),
        pieces_per_word=round(n_pieces / max(1, n_words), 4),
        whole_words=round(n_whole / max(1, n_words), 4),
        unknown=round(n_unknown / max(1, n_pieces), 4),
        coverage=round(1 - n_lost / max(1, sum(map(_n_letters, texts))), 4),
        morpheme_cuts=round(n_found / max(1, sum(map(len, cuts))), 4),
        bm25_ndcg_at_10=_bm25(vocabulary, [e.ids for e in encoded], judged) if judged else None,
    )


def _first(text: str, start: int, end: int) -> int:
    """Where a token's first letter stands: SentencePiece counts the space before a word as part of it."""
    while start < end and text[start].isspace():
        start += 1
    return start


def _n_letters(text: str) -> int:
    return sum(not c.isspace() for c in text)


def _pieces_of_words(text: str, starts: Sequence[int]) -> list[int]:
    """How many tokens begin in each word of the text, words being what spaces separate."""
    counts: list[int] = []
    word = -1
    numbers = []
    for place, character in enumerate(text):
        if not character.isspace() and (place == 0 or text[place - 1].isspace()):
            word += 1
            counts.append(0)
        numbers.append(word)
    for start in starts:
        if start < len(text) and not text[start].isspace():
            counts[numbers[start]] += 1
    return counts


def _bm25(vocabulary: Vocabulary, documents: Sequence[Sequence[int]], judged: Judged) -> float:
    index = TokenIndex(documents, n_tokens=len(vocabulary.tokens))
    names = [name for name in judged.queries if name in judged.qrels]
    if not names:
        raise InputError("no query has a judgement; wanted queries and qrels of the same set")
    found = vocabulary.encode([judged.queries[name] for name in names], max_tokens=512, special=False)
    gains = [
        ndcg_at_10([judged.doc_ids[i] for i in index.top(tokens, 10)], judged.qrels[name])
        for name, tokens in zip(names, found, strict=True)
    ]
    return round(sum(gains) / len(gains), 4)


def table(measures: Sequence[Measures]) -> str:
    """One column a tokenizer, for a terminal.

    >>> one = Measures(tokenizer="a", n_tokens=8, used=1.0, pieces_per_word=1.5, whole_words=0.5, unknown=0.0,
    ...                coverage=1.0, morpheme_cuts=0.9)
    >>> print(table([one]).splitlines()[1])
    n_tokens           8
    """
    rows = [(field, [getattr(m, field) for m in measures]) for field in Measures.__struct_fields__]
    measured = [(name, values) for name, values in rows if any(v is not None for v in values)]
    shown = [(name, ["" if v is None else str(v) for v in values]) for name, values in measured]
    width = max(len(v) for _, values in shown for v in values)
    left = max(len(name) for name, _ in shown)
    return "\n".join(name.ljust(left) + "".join(v.rjust(width + 2) for v in values) for name, values in shown)
