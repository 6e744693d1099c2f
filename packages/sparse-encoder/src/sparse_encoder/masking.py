"""Which tokens of a text a masked language model has to tell, whole morphemes at a time.

A morpheme is a unit: where a part of it stays visible, the rest is told from that part and nothing is learned of its
context (Cui et al. 2021, arXiv:1906.08101, for Chinese words).
"""

import bisect
import random
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sparse_encoder._kiwi import morphemes
from sparse_encoder.pieces import boundaries
from sparse_encoder.vocabulary import Vocabulary

NO_UNIT = -1
"""Unit of tokens that are never masked: [CLS], [SEP]."""
MASKED, REPLACED = 0.8, 0.9
"""Share of the chosen tokens that become [MASK], and up to which share a random token; the rest stay as they are."""
AT_ONCE = 512
"""Texts cut at once."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text as token ids, and for each token the number of its unit, ascending."""

    ids: tuple[int, ...]
    units: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MaskedText:
    """A text with some tokens hidden: what the model reads, and where it has to tell which token was there."""

    ids: tuple[int, ...]
    places: tuple[int, ...]
    told: tuple[int, ...]
    """The tokens at `places`."""


def cut_texts(texts: Sequence[str], vocabulary: Vocabulary, *, whole_morphemes: bool) -> Iterator[Text]:
    """Yields each text's tokens, without [CLS] and [SEP], with their morphemes, or each token as its own unit."""
    for start in range(0, len(texts), AT_ONCE):
        some = [unicodedata.normalize("NFC", text) for text in texts[start : start + AT_ONCE]]
        encoded = vocabulary.tokenizer.encode_batch(some, add_special_tokens=False)
        if not whole_morphemes:
            yield from (Text(tuple(e.ids), tuple(range(len(e.ids)))) for e in encoded)
            continue
        for e, found in zip(encoded, morphemes(some), strict=True):
            cuts = boundaries(found)
            # by its last character: a SentencePiece token starts at the space before its word
            yield Text(tuple(e.ids), tuple(bisect.bisect_right(cuts, end - 1) for _, end in e.offsets))


def joined(parts: Sequence[Text], *, first: int, last: int, max_tokens: int) -> Text:
    """[CLS] a [SEP] b [SEP]: the parts as one text of at most `max_tokens`, each with an equal share of them."""
    room = (max_tokens - 1 - len(parts)) // len(parts)
    ids, units = [first], [NO_UNIT]
    for part in parts:
        before = max(units) + 1
        ids += [*part.ids[:room], last]
        units += [*(before + unit for unit in part.units[:room]), NO_UNIT]
    return Text(tuple(ids), tuple(units))


def runs(text: Text, *, first: int, last: int, max_tokens: int) -> Iterator[Text]:
    """Yields a long text as runs of at most `max_tokens`, each [CLS] ... [SEP]; nothing of an empty one."""
    room = max_tokens - 2
    for start in range(0, len(text.ids), room):
        piece = Text(text.ids[start : start + room], text.units[start : start + room])
        yield joined([piece], first=first, last=last, max_tokens=max_tokens)


def masked(text: Text, *, share: float, mask_id: int, vocab_size: int, chance: random.Random) -> MaskedText:
    """Hides about `share` of the text's units, at least one; every token of a unit has its own lot.

    >>> masked(Text((2, 7, 8, 3), (-1, 0, 0, -1)), share=0.3, mask_id=4, vocab_size=9, chance=random.Random(1)).places
    (1, 2)
    """
    units = sorted(set(text.units) - {NO_UNIT})
    chosen = set(chance.sample(units, max(1, round(share * len(units))))) if units else set()
    places = tuple(i for i, unit in enumerate(text.units) if unit in chosen)
    ids = list(text.ids)
    for place in places:
        lot = chance.random()
        if lot < MASKED:
            ids[place] = mask_id
        elif lot < REPLACED:
            ids[place] = chance.randrange(vocab_size)
    return MaskedText(tuple(ids), places, tuple(text.ids[i] for i in places))
