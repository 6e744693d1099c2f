"""Words cut at morpheme boundaries, counted: what a morpheme-aware vocabulary is chosen from.

A piece is what stands between two cuts of a word as BERT's pre-tokenizer sees it, so that a vocabulary of pieces
serves later without any morphological analysis.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, tee
from typing import TYPE_CHECKING

from tokenizers.normalizers import NFC, BertNormalizer, Sequence
from tokenizers.pre_tokenizers import BertPreTokenizer

if TYPE_CHECKING:
    from sparse_encoder._kiwi import Morpheme

CONTINUATION = "##"
"""What WordPiece writes before a piece that does not start its word."""


def normalizer() -> Sequence:
    """Lower case, Hangul composed, since the vocabulary is: NFD text, as macOS names files, is cut as NFC text is.

    `strip_accents` would take syllables apart into jamo.
    """
    bert = BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=True)
    return Sequence([NFC(), bert])


def count_pieces(texts: Iterable[str]) -> Counter[str]:
    """Counts the pieces of all texts; those that continue a word carry `##`.

    >>> sorted(count_pieces(["검색엔진에서 Search를"]).items())
    [('##를', 1), ('##에서', 1), ('##엔진', 1), ('search', 1), ('검색', 1)]
    """
    counts: Counter[str] = Counter()
    for word_pieces in cut_words(texts):
        for position, piece in enumerate(word_pieces):
            counts[CONTINUATION + piece if position else piece] += 1
    return counts


def cut_words(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yields every word of every text, in order, as the list of its pieces; memory: one text."""
    return chain.from_iterable(cut_texts(texts))


def cut_texts(texts: Iterable[str]) -> Iterator[list[list[str]]]:
    """Yields each text as the list of its words, each the list of its pieces."""
    from sparse_encoder._kiwi import morphemes  # not above: serving reads this module, and never needs kiwi

    normal = normalizer()
    words = BertPreTokenizer()
    normalised, analysed = tee(normal.normalize_str(text) for text in texts)
    for text, found in zip(normalised, morphemes(analysed), strict=True):
        cuts = boundaries(found)
        cut = []
        for word, (start, end) in words.pre_tokenize_str(text):
            inside = [place - start for place in cuts if start < place < end]
            cut.append([word[a:b] for a, b in zip([0, *inside], [*inside, end - start], strict=True)])
        yield cut


def boundaries(found: "Iterable[Morpheme]") -> list[int]:
    """Where one morpheme ends and the next begins; contracted ones (`했` = 하 + 었) share a span and are not cut.

    >>> from sparse_encoder._kiwi import Morpheme
    >>> boundaries([Morpheme("하", "VV", 0, 1), Morpheme("었", "EP", 0, 1), Morpheme("다", "EF", 1, 2)])
    [0, 1]
    """
    cuts: list[int] = []
    reached = 0
    for morpheme in found:
        if morpheme.start >= reached and morpheme.end > morpheme.start:
            cuts.append(morpheme.start)
        reached = max(reached, morpheme.end)
    return cuts
