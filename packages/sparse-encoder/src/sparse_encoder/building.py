"""The network before its first step: document side, query side and lexical channel, from scratch or from another's."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from sparse_encoder._files import InputError
from sparse_encoder.backbone import Backbone
from sparse_encoder.bert import SILENT, THRESHOLD, THRESHOLD_BESIDE_COUNTS, Bert, bert_config, start_lexical
from sparse_encoder.lexical import LexicalChannel
from sparse_encoder.material import Material
from sparse_encoder.model_folder import SparseModel, ones, read_lexical
from sparse_encoder.network import Network
from sparse_encoder.recipe import Noise, Recipe
from sparse_encoder.starting import channel_folder, lower_to, read_start
from sparse_encoder.token_vectors import read_token_vectors
from sparse_encoder.trained_idf import TrainedIdf

SAMPLE = 64
"""Documents that the start's active terms are counted on."""


def build_network(recipe: Recipe, material: Material, device: torch.device, products: torch.dtype) -> Network:
    """The network before the first step, in training mode on its device."""
    model = recipe.model
    silent = silent_tokens(recipe, material)
    bert = _backbone(
        recipe, material, silent, start_from=model.start_from, size=model.size, vectors=model.token_vectors
    )
    lexical = _lexical(recipe, material, silent) if model.lexical_channel else None
    _quieten(bert, lexical, material.noise, model.noise)
    bert = bert.to(device).train()
    lexical = lexical.to(device) if lexical is not None else None
    idf = torch.tensor(material.idf, device=device)
    network = Network(
        bert=bert, idf=idf, lexical=lexical, activation=model.activation, products=products, silent=silent
    )
    queries = model.queries
    if queries.side == "trained_idf":
        scale = queries.learning_rate / recipe.learning_rate
        return replace(network, trained_idf=TrainedIdf(idf, scale=scale).to(device))
    if queries.side == "same":
        return replace(network, query=network)
    if queries.side == "other":
        other = _backbone(recipe, material, silent, start_from=queries.start_from, size=queries.size)
        return replace(network, query=replace(network, bert=other.to(device).train(), lexical=None))
    return network


def silent_tokens(recipe: Recipe, material: Material) -> frozenset[int]:
    """Tokens that are forbidden in documents: special ones and, where queries are bags of tokens, those of IDF 0.

    Those never score, not even where weights are trained, which cannot leave 0; in a document they would take the
    places of terms that do.
    """
    special = frozenset(material.vocabulary.special_ids)
    if recipe.model.queries.side in ("same", "other"):
        return special
    return special | {i for i, weight in enumerate(material.idf) if weight == 0}


def finished_model(network: Network, recipe: Recipe, material: Material) -> SparseModel:
    """What training leaves, on the CPU."""
    bert = network.bert.eval().cpu()
    other = network.query.bert.eval().cpu() if network.query is not None else None
    idf = network.idf if network.trained_idf is None else network.trained_idf().detach()
    return SparseModel(
        bert=bert,
        idf=idf.cpu() if network.query is None else ones(material.vocabulary),
        vocabulary=material.vocabulary,
        max_tokens=recipe.model.max_tokens,
        max_active_terms=recipe.model.max_active_terms,
        lexical=network.lexical.cpu() if network.lexical is not None else None,
        query=other,
        activation=recipe.model.activation,
        trained_idf=network.trained_idf is not None,
    )


def _backbone(
    recipe: Recipe, material: Material, silent: frozenset[int], *, start_from: str, size: str, vectors: str = ""
) -> Backbone:
    vocabulary = material.vocabulary
    if start_from:
        backbone = read_start(Path(start_from), vocabulary, max_tokens=recipe.model.max_tokens)
        with torch.no_grad():
            backbone.output_bias()[sorted(silent)] = SILENT
        if recipe.model.start_terms:
            lower_to(backbone, _sample(material.train.documents), n_terms=recipe.model.start_terms)
        return backbone
    bert = Bert(bert_config(size, vocab_size=len(vocabulary.tokens), max_tokens=recipe.model.max_tokens))
    threshold = THRESHOLD_BESIDE_COUNTS if recipe.model.lexical_channel else THRESHOLD
    start_lexical(
        bert,
        twins=vocabulary.twins(),
        silent=tuple(sorted(silent)),
        threshold=threshold,
        seed=recipe.seed,
        vectors=_token_vectors(Path(vectors), bert) if vectors else None,
    )
    return bert


def _token_vectors(path: Path, bert: Bert) -> torch.Tensor:
    vectors = read_token_vectors(path)
    wanted = tuple(bert.output_weight().shape)
    if vectors.shape != wanted:
        raise InputError(f"{path}: holds {vectors.shape} numbers, the model {wanted}; make it with the same tokenizer")
    return torch.from_numpy(vectors)


def _sample(documents: Sequence[list[int]]) -> list[list[int]]:
    return list(documents[:: max(1, len(documents) // SAMPLE)][:SAMPLE])


def _lexical(recipe: Recipe, material: Material, silent: frozenset[int]) -> LexicalChannel:
    """The channel before the first step: that of the model to go on from, with this corpus' mean length, as BM25 has.

    From scratch, what is in most passages is shut out: particles and endings add nothing to a score, and would take
    the places of expansions among the heaviest terms.
    """
    documents = material.train.documents
    n_tokens = sum(map(len, documents)) / len(documents)
    trained = channel_folder(Path(recipe.model.start_from)) if recipe.model.start_from else None
    if trained is not None:
        channel = read_lexical(trained, len(material.idf))
        channel.mean_length.fill_(n_tokens)
        with torch.no_grad():
            channel.gate[sorted(silent - set(material.vocabulary.special_ids))] = 0.0
        return channel
    channel = LexicalChannel(len(material.idf), mean_length=n_tokens, gate=recipe.model.lexical_gate)
    with torch.no_grad():
        channel.gate.mul_((torch.tensor(material.idf) - 1.0).clamp(0.0, 1.0))
    return channel


@torch.no_grad()
def _quieten(bert: Backbone, lexical: LexicalChannel | None, tokens: Sequence[int], noise: Noise) -> None:
    """Lowers or shuts out noise tokens, in the output bias and in the gates, so that every form of the model has it."""
    if not tokens:
        return
    places = list(tokens)
    bias = bert.output_bias()
    bias[places] = SILENT if noise.how == "forbid" else bias[places] - noise.by
    if lexical is not None:
        lexical.gate[places] *= 0.0 if noise.how == "forbid" else noise.gate
