"""Morphemes of a corpus added to a pretrained WordPiece vocabulary, each starting as the mean of its pieces.

A vocabulary of the field's own words makes shorter texts and sharper vectors; the network need not start anew for it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer

from sparse_encoder._files import InputError
from sparse_encoder.backbone import Backbone
from sparse_encoder.backbone_folder import read_backbone, widened
from sparse_encoder.pieces import CONTINUATION, count_pieces
from sparse_encoder.tokenizer_build import bare
from sparse_encoder.vocabulary import read_vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """A model with a larger vocabulary."""

    tokenizer: Tokenizer
    backbone: Backbone
    added: list[str]
    """The new tokens, in order of id."""


def adapt(folder: Path, texts: Iterable[str], *, n_added: int, min_count: int, largest: int) -> Adapted:
    """Adds the commonest morphemes of `texts` that the model in `folder` has no token for.

    n_added: at most so many, and no more than `largest` leaves room for. InputError where there is no room, or the
    vocabulary is not WordPiece: a BPE one would need merges for each word, a Unigram one scores, and neither would
    then cut the rest of the text as before.
    """
    vocabulary = read_vocabulary(folder)
    config = json.loads(vocabulary.tokenizer.to_str())
    kind = config["model"]["type"]
    if kind != "WordPiece" or config["model"]["continuing_subword_prefix"] != CONTINUATION:
        raise InputError(f"{folder}: has a {kind} vocabulary; only WordPiece with {CONTINUATION!r} takes whole words")
    room = min(n_added, largest - len(vocabulary.tokens))
    if room <= 0:
        raise InputError(
            f"{folder}: has {len(vocabulary.tokens)} tokens already, and the largest vocabulary wanted is {largest}"
        )
    counts = count_pieces(texts)
    new = [p for p in counts if p not in vocabulary.ids and counts[p] >= min_count and len(bare(p)) > 1]
    told = {piece: pieces for piece in new if (pieces := cut(piece, vocabulary.ids))}
    added = sorted(told, key=lambda piece: (-counts[piece], piece))[:room]
    if not added:
        raise InputError(f"{folder}: has a token for every morpheme that occurs {min_count} times or more")
    config["model"]["vocab"] |= {piece: len(vocabulary.tokens) + i for i, piece in enumerate(added)}
    backbone = read_backbone(folder, vocab_size=len(vocabulary.tokens))
    with torch.no_grad():
        cuts = [torch.tensor(told[piece]) for piece in added]
        rows = torch.stack([backbone.output_weight()[places].mean(dim=0) for places in cuts])
        bias = torch.stack([backbone.output_bias()[places].mean() for places in cuts])
    tokenizer = Tokenizer.from_str(json.dumps(config, ensure_ascii=False))
    return Adapted(tokenizer=tokenizer, backbone=widened(backbone, rows, bias), added=added)


def cut(piece: str, ids: Mapping[str, int]) -> list[int]:
    """The tokens that WordPiece cuts a piece into, the longest first from the left; empty where a part is unknown.

    >>> cut("##에서는", {"##에서": 7, "##는": 8, "에서": 9})
    [7, 8]
    """
    inside = bare(piece) != piece
    rest = bare(piece)
    found: list[int] = []
    while rest:
        lengths = range(len(rest), 0, -1)
        prefix = CONTINUATION if inside or found else ""
        match = next((n for n in lengths if prefix + rest[:n] in ids), 0)
        if not match:
            return []
        found.append(ids[prefix + rest[:match]])
        rest = rest[match:]
    return found
