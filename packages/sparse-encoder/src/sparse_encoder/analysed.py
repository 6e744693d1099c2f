"""Texts with their tokens and their morphemes side by side, for what is judged of tokens by what they stand for."""

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from tokenizers import Encoding

from sparse_encoder._kiwi import Morpheme, morphemes
from sparse_encoder.vocabulary import Vocabulary

AT_ONCE = 512
"""Texts analysed at once."""


class Analysed(NamedTuple):
    """A text in NFC, its tokens without special ones, and its morphemes; places of both are characters of it."""

    text: str
    tokens: Encoding
    morphemes: list[Morpheme]


def analysed(texts: Iterable[str], vocabulary: Vocabulary) -> Iterator[Analysed]:
    """Yields each text, in order; texts are read as a stream."""
    source = (unicodedata.normalize("NFC", text) for text in texts)
    while some := list(islice(source, AT_ONCE)):
        encoded = vocabulary.tokenizer.encode_batch(some, add_special_tokens=False)
        for text, tokens, found in zip(some, encoded, morphemes(some), strict=True):
            yield Analysed(text, tokens, found)
