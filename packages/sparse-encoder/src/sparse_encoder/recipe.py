"""The training recipe: every setting, its default, and strict reading that names a misspelt key.

Paths are relative to the recipe's own folder, so that a recipe and its data move together.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from sparse_encoder._files import InputError
from sparse_encoder.hub import start_folder
from sparse_encoder.settings import read_settings

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Weight = Annotated[float, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Number = Annotated[int, msgspec.Meta(ge=1)]
Length = Annotated[int, msgspec.Meta(ge=3)]
"""Tokens of a text, its two special ones among them."""
Positive = Annotated[float, msgspec.Meta(gt=0)]


Size = Literal["tiny", "small", "medium", "base"]


class Queries(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What encodes queries."""

    side: Literal["idf", "trained_idf", "same", "other"] = "idf"
    """idf: a bag of tokens with frozen weights; trained_idf: the same, the weights trained from there; same: the
    document side; other: a second encoder with the same tokenizer. Without `model.idf` all but the first count it.
    In the first two a token of weight 0 stays without any, and documents never hold it."""
    learning_rate: Positive = 0.01
    """Of trained weights, at the schedule's height."""
    size: Size = "tiny"
    """Of a second encoder from scratch."""
    start_from: str = ""
    """What a second encoder goes on from, as `model.start_from`."""


class Noise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tokens that should weigh little in a document: particles, endings, punctuation."""

    tokens: str = ""
    """What `sparse-encoder tokenizer noise` writes; left out, no token is treated apart."""
    how: Literal["damp", "forbid"] = "damp"
    """damp: they start lower and are trained from there; forbid: no logit reaches their output bias, for good."""
    by: Positive = 2.0
    """What damping takes off their output bias."""
    gate: Share = 0.25
    """What damping leaves of their gate in the lexical channel; forbidding leaves nothing."""


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is trained."""

    size: Size = "tiny"
    """From scratch: tiny 2x128, small 3x256, medium 6x384, base 12x768."""
    start_from: str = ""
    """Instead of from scratch: a model folder of ours, any masked language model of BERT, RoBERTa, XLM-RoBERTa or
    ModernBERT in a folder, or its name on the hub, such as klue/roberta-small."""
    tokenizer: str = ""
    """Left out with `start_from`, it is that model's own."""
    idf: str = ""
    token_vectors: str = ""
    """What `sparse-encoder tokenizer vectors` writes: from scratch, tokens of documents start near those of
    like meaning. A second encoder for queries starts without."""
    max_tokens: Length = 256
    """Tokens of a document that the finished model reads, and of a query that goes through a network."""
    max_active_terms: Number = 100
    """Kept in the model's config as `max_active_dims`: the heaviest terms of a vector that remain."""
    vocabulary_limit: Number = 32768
    """Most tokens; a larger vocabulary cannot be served by OpenSearch's `sparse_vector`."""
    lexical_channel: bool = False
    """Adds a gated, saturated count of the document's own tokens; the folder then needs trust_remote_code=True."""
    lexical_gate: Positive = 1.5
    """What the count is multiplied with at the start; every token's own gate is trained from there."""
    activation: Literal["log1p", "double_log1p"] = "log1p"
    """Weight of a term: log(1 + relu), or log(1 + log(1 + relu)), under which few terms outweigh the others."""
    start_terms: Count = 0
    """The output bias is lowered until documents start with about so many learned terms; 0 leaves it as it is. A
    masked language model has a logit above 0 for most of its vocabulary, and much of a run is spent on silencing it."""
    queries: Queries = Queries()
    noise: Noise = Noise()


class Groups(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of groups and how often it is drawn from, against the others."""

    path: str
    weight: Positive = 1.0


class InfoNCE(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    weight: Weight = 1.0
    temperature: Positive = 4.0
    """Scores are sums of IDF times weight, so they are large: at 1 a few pairs saturate the loss."""
    in_batch: bool = True
    """Whether the other queries' documents are negatives too."""


class Distillation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    weight: Weight = 0.0
    temperature: Positive = 1.0


class MarginMSE(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    weight: Weight = 0.0


class MarginRanking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    weight: Weight = 0.0
    margin: Positive = 1.0


class Alignment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    weight: Weight = 1.0
    pairs: Number = 32
    """Term pairs a step."""
    temperature: Weight = 0.0
    """0: the cosine of a term and its translation; above: both are told from the step's other pairs as well, by
    cosines over this, so that nothing is gained by words that all of them hold. .1 is a good one."""


class Sparsity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    weight: Weight = 0.003
    ramp: Share = 0.4
    """Share of all steps over which the weight grows, quadratically."""
    threshold: Count = 0
    """Documents with at most so many active terms are let off."""


class Losses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is minimised: the weighted sum."""

    infonce: InfoNCE = InfoNCE()
    kl: Distillation = Distillation()
    margin_mse: MarginMSE = MarginMSE()
    margin_ranking: MarginRanking = MarginRanking()
    alignment: Alignment = Alignment()
    flops: Sparsity = Sparsity()
    idf_flops: Sparsity = Sparsity(weight=0.0)
    query_flops: Sparsity = Sparsity()
    """The same on queries, where they have an encoder."""
    l1: Sparsity = Sparsity(weight=0.0)


class Guard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What watches the active terms, as a smoothed mean over documents."""

    fewest: Positive = 1.0
    """Below this the model has collapsed."""
    most: Share = 0.25
    """Share of the vocabulary above which it has exploded, from the end of the FLOPS ramp on."""
    steer: bool = True
    """Whether the weights of the sparsity losses fall or grow by a twentieth each step until terms are in bounds."""
    patience: Number = 100
    """Steps in a row out of bounds after which the run stops."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of a training run."""

    model: Model = Model()
    train: list[str | Groups]
    """Files of groups."""
    validation: str = ""
    term_pairs: str = ""
    """Korean and English terms for the alignment loss."""
    parallel: str = ""
    """Korean and English sentences for the same loss."""
    losses: Losses = Losses()
    target_active_terms: Count = 0
    """Active terms of a document that are held by raising and lowering the sparsity losses' weights, which begin as
    given, without their ramps; 0 leaves the weights alone."""
    guard: Guard = Guard()
    steps: Number = 300
    batch: Number = 32
    """Queries a step, each with its positive; all processes together where there are several."""
    accumulate: Number = 1
    """Batches whose gradients are averaged into one step; each is told from its own documents alone."""
    encode_at_once: Count = 0
    """Texts that hold their gradients at once (a gradient cache: each is encoded twice, for a `batch` that memory does
    not hold otherwise, to the same gradients); 0: all."""
    recompute_layers: bool = False
    """Gradient checkpointing: layers keep their inputs alone and are computed again on the way back."""
    neighbours: Count = 0
    """Positives that stand next to each other in their file and are drawn together, with all their queries: sections
    of one document are each other's hard negatives at no cost. 0 draws every group alone."""
    hard_negatives: Count = 1
    easy_negatives: Count = 0
    """Drawn anew for each query at each step from those its group has."""
    query_tokens: Length = 64
    document_tokens: Length = 256
    """Of those, at most `model.max_tokens` where the text goes through a network."""
    learning_rate: Positive = 3e-3
    warmup: Share = 0.06
    """Share of the steps over which the rate grows."""
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    """How the rate goes on after the warm-up; linear and cosine fall to 0."""
    weight_decay: Weight = 0.01
    clip: Positive = 1.0
    """Largest norm of a gradient."""
    ema: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    """Decay of the running mean of the weights that is saved; 0 saves the last weights."""
    keep_start: Share = 0.0
    """Share of the start's weights in those that are saved (WiSE-FT, Wortsman et al. 2022, arXiv:2109.01903): what the
    start knew of texts unlike these is kept, at little cost on texts like these."""
    trust_counts: Positive = 1.0
    """What the gates of the lexical channel are multiplied by in the end: above 1 for a model that meets texts unlike
    these, since a count holds everywhere and an expansion may not."""
    leak: Share = 0.3
    """Share of the gradient that reaches inactive terms which the loss wants raised."""
    columns: Count = 1024
    """Columns of the vocabulary sampled a step for the sparsity losses, beside those of its queries; 0: all."""
    precision: Literal["fp32", "bf16", "fp16", "auto"] = "auto"
    """auto: bf16 products where the device has them, fp32 elsewhere; fp16 on a CUDA GPU alone."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto: a CUDA GPU where there is one."""
    evaluate_every: Count = 0
    """Steps between evaluations on `validation`; 0 evaluates once, at the end."""
    keep: Literal["best", "last"] = "best"
    """Which weights are saved where several evaluations are made: those of the largest nDCG@10, or the last ones."""
    patience: Count = 0
    """Evaluations in a row that are no better than the best, after which training stops; 0 goes on to the last step."""
    checkpoint_every: Number = 100
    seed: int = 42


def read_recipe(path: Path) -> Recipe:
    """Reads a YAML recipe; InputError names an unknown key and the nearest valid one, and paths become absolute."""
    recipe = read_settings(path, Recipe)
    if not recipe.train:
        raise InputError(f"{path}: 'train' is empty; wanted at least one file of groups")
    return located(recipe, path.resolve().parent)


def located(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe with every path made absolute from `folder`."""

    def at(name: str) -> str:
        return str(folder / name) if name else ""

    groups = [g if isinstance(g, Groups) else Groups(path=g) for g in recipe.train]
    return msgspec.structs.replace(
        recipe,
        model=_located_model(recipe.model, folder),
        train=[Groups(path=at(g.path), weight=g.weight) for g in groups],
        validation=at(recipe.validation),
        term_pairs=at(recipe.term_pairs),
        parallel=at(recipe.parallel),
    )


def _located_model(model: Model, folder: Path) -> Model:
    def at(name: str) -> str:
        return str(folder / name) if name else ""

    def start(name: str) -> str:
        return str(start_folder(name, beside=folder)) if name else ""

    start_from = start(model.start_from)
    return msgspec.structs.replace(
        model,
        start_from=start_from,
        tokenizer=at(model.tokenizer) or start_from,
        idf=at(model.idf),
        token_vectors=at(model.token_vectors),
        queries=msgspec.structs.replace(model.queries, start_from=start(model.queries.start_from)),
        noise=msgspec.structs.replace(model.noise, tokens=at(model.noise.tokens)),
    )
