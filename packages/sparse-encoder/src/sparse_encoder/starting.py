"""What training goes on from: a pretrained masked language model, checked against the tokenizer.

Where it is the document side of a model of ours, the lexical channel that was trained with it goes on too.
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from sparse_encoder._files import InputError
from sparse_encoder.backbone import Backbone
from sparse_encoder.backbone_folder import read_backbone
from sparse_encoder.bert import SILENT
from sparse_encoder.layouts import INFERENCE_FREE, ONE_ENCODER
from sparse_encoder.network import Network
from sparse_encoder.vocabulary import Vocabulary, read_vocabulary


def read_start(folder: Path, vocabulary: Vocabulary, *, max_tokens: int) -> Backbone:
    """The model to go on from, its special tokens silenced; InputError where tokenizer or lengths are not its own."""
    has_own = (folder / "tokenizer.json").is_file()
    if has_own and read_vocabulary(folder).tokens != vocabulary.tokens:
        raise InputError(f"{folder}: was made with another tokenizer; leave 'model.tokenizer' out to use its own")
    backbone = read_backbone(folder, vocab_size=len(vocabulary.tokens) if has_own else 0)
    n_rows = len(backbone.output_bias())
    if n_rows != len(vocabulary.tokens):
        raise InputError(f"{folder}: has {n_rows} tokens, the tokenizer {len(vocabulary.tokens)}")
    if max_tokens > backbone.longest:
        raise InputError(f"{folder}: reads {backbone.longest} tokens; 'model.max_tokens' is {max_tokens}")
    with torch.no_grad():
        backbone.output_bias()[list(vocabulary.special_ids)] = SILENT
    return backbone


@torch.no_grad()
def lower_to(backbone: Backbone, documents: Sequence[Sequence[int]], *, n_terms: int) -> None:
    """Lowers the output bias by one number, so that `documents` have `n_terms` active terms on average; writes into it.

    What was learned, the order of terms, stays; a bias that is low enough already is left as it is.
    """
    network = Network(bert=backbone.eval(), idf=torch.ones(len(backbone.output_bias())))
    logits = network.weights(documents, None).expm1().flatten()
    n_kept = min(n_terms * len(documents), len(logits))
    backbone.output_bias().sub_(logits.topk(n_kept).values[-1])


def channel_folder(folder: Path) -> Path | None:
    """The lexical channel that belongs to a document side to go on from; None where it has none."""
    beside = folder.parent / INFERENCE_FREE.lexical, folder / ONE_ENCODER.lexical
    of_router = folder.name == INFERENCE_FREE.document
    return next((place for place in beside[0 if of_router else 1 :] if place.is_dir()), None)
