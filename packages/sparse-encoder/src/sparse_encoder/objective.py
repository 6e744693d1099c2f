"""One step's loss: the recipe's losses, on the columns of the vocabulary that the step needs.

Queries that are bags of tokens only ever read the columns of the batch's query tokens; those are exact. The
sparsity losses read all columns, and a random thousand of them, weighted by one over their chance, give the same sum
in expectation. That makes a step several times cheaper than one over the whole vocabulary, which queries
with an encoder need.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from sparse_encoder.groups import Batch, Examples
from sparse_encoder.losses.alignment import alignment
from sparse_encoder.losses.contrastive_alignment import contrastive_alignment
from sparse_encoder.losses.flops import flops
from sparse_encoder.losses.idf_flops import idf_flops
from sparse_encoder.losses.infonce import infonce
from sparse_encoder.losses.kl import kl_distillation
from sparse_encoder.losses.l1 import l1
from sparse_encoder.losses.margin_mse import margin_mse
from sparse_encoder.losses.margin_ranking import margin_ranking
from sparse_encoder.losses.ramp import ramp
from sparse_encoder.network import Network, query_text
from sparse_encoder.recipe import Losses, Recipe
from sparse_encoder.term_pairs import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Columns of the vocabulary that a step looks at, ascending, and 1 over the chance of each to be among them."""

    ids: Tensor
    share: Tensor

    def on(self, device: torch.device) -> "Columns":
        """The same on a device."""
        return Columns(ids=self.ids.to(device), share=self.share.to(device))


Kind = Literal["documents", "queries", "terms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A step before anything is computed: the texts that are encoded, and what the losses need beside their vectors."""

    batch: Batch
    allowed: Tensor
    """(queries, documents) bool, see `allowed_documents`."""
    texts: Mapping[Kind, Sequence[Sequence[int]]]
    """Token ids; terms are all Korean ones, then their English ones."""
    confidence: Sequence[float]
    """Of each term pair."""
    has_query_network: bool
    """Whether queries are encoded, so that their vectors have to be kept sparse too."""
    columns: Columns
    idf: Tensor
    """(columns), over the mean of the vocabulary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A step's loss, what it is made of, and how many terms documents have."""

    total: Tensor
    by_name: dict[str, float]
    """Each loss before its weight."""
    active_terms: float
    """Mean over the batch's documents, estimated from the columns."""


def choose_columns(needed: set[int], *, vocab: int, special: frozenset[int], n: int, chance: random.Random) -> Columns:
    """The needed columns and `n` others drawn evenly; all of them where n is 0 or covers the rest."""
    others = [i for i in range(vocab) if i not in needed and i not in special]
    drawn = others if n == 0 or n >= len(others) else chance.sample(others, n)
    share = len(others) / len(drawn) if drawn else 1.0
    ids = sorted(needed | set(drawn))
    return Columns(ids=torch.tensor(ids), share=torch.tensor([1.0 if i in needed else share for i in ids]))


def plan_step(
    network: Network, batch: Batch, data: Examples, *, recipe: Recipe, terms: Terms | None, number: int
) -> Plan:
    """What batch `number`, from 0, computes; everything random in it depends on the recipe's seed and that number."""
    chance = _chance(recipe, number)
    pairs = _draw_pairs(terms, recipe, chance)
    needed = {t for e in batch.examples for t in e.query}
    if terms is not None:
        needed |= {t for i in pairs for t in (*terms.korean[i], *terms.english[i])}
    silent = network.silent
    n_columns = recipe.columns if network.query is None else 0
    columns = choose_columns(needed - silent, vocab=len(network.idf), special=silent, n=n_columns, chance=chance)
    texts: dict[Kind, Sequence[Sequence[int]]] = {
        "documents": [data.documents[i] for i in batch.documents],
        "queries": [query_text(network, example) for example in batch.examples],
    }
    confidence: list[float] = []
    if terms is not None and pairs:
        texts["terms"] = [terms.korean[i] for i in pairs] + [terms.english[i] for i in pairs]
        confidence = [terms.weights[i] for i in pairs]
    return Plan(
        batch=batch,
        allowed=allowed_documents(batch, data, in_batch=recipe.losses.infonce.in_batch),
        texts=texts,
        confidence=confidence,
        has_query_network=network.query is not None,
        columns=columns.on(network.idf.device),
        idf=network.idf[columns.ids.to(network.idf.device)] / network.idf[network.idf > 0].mean(),
    )


def encode(network: Network, kind: Kind, texts: Sequence[Sequence[int]], columns: Tensor, *, leak: float) -> Tensor:
    """The vectors of texts of one kind: (texts, columns)."""
    if kind == "queries":
        return network.ask(texts, columns, leak=leak)
    return network.weights(texts, columns, leak=leak)


def loss_of(vectors: Mapping[Kind, Tensor], plan: Plan, losses: Losses, weights: Mapping[str, float]) -> Parts:
    """The weighted sum of the losses on a step's vectors, each (texts, columns) in the order of the plan."""
    documents, share = vectors["documents"], plan.columns.share
    found = _ranking(vectors["queries"] @ documents.T, plan, losses)
    if "terms" in vectors:
        found["alignment"] = _alignment(vectors["terms"], plan, temperature=losses.alignment.temperature)
    found |= _sparsity([vectors[kind] for kind in ("documents", "terms") if kind in vectors], plan, losses)
    if plan.has_query_network:
        found["query_flops"] = flops(vectors["queries"], share, threshold=losses.query_flops.threshold)
    total = torch.stack([weights[name] * value for name, value in found.items()]).sum()
    active = float(((documents.detach() > 0) * share).sum(dim=1).mean())
    return Parts(total=total, by_name={n: float(v.detach()) for n, v in found.items()}, active_terms=active)


def loss_weights(recipe: Recipe, number: int, *, pressure: float = 1.0) -> dict[str, float]:
    """Every loss's weight at a step: those of sparsity grow over their ramp, and are `pressure` times as much.

    With a number of terms to be held there is no ramp: the pressure takes its place.
    """
    losses = recipe.losses

    def grown(weight: float, share: float) -> float:
        n_steps = 0 if recipe.target_active_terms else round(share * recipe.steps)
        return pressure * weight * ramp(number, n_steps=n_steps)

    return {
        "infonce": losses.infonce.weight,
        "kl": losses.kl.weight,
        "margin_mse": losses.margin_mse.weight,
        "margin_ranking": losses.margin_ranking.weight,
        "alignment": losses.alignment.weight,
        "flops": grown(losses.flops.weight, losses.flops.ramp),
        "idf_flops": grown(losses.idf_flops.weight, losses.idf_flops.ramp),
        "query_flops": grown(losses.query_flops.weight, losses.query_flops.ramp),
        "l1": grown(losses.l1.weight, losses.l1.ramp),
    }


def allowed_documents(batch: Batch, data: Examples, *, in_batch: bool) -> Tensor:
    """(queries, documents) bool: a document that is another positive of a query's is no negative of it."""
    allowed = torch.full((len(batch.examples), len(batch.documents)), in_batch)
    place = {n: i for i, n in enumerate(batch.documents)}
    for row, (example, group) in enumerate(zip(batch.examples, batch.groups, strict=True)):
        allowed[row, list(group)] = True
        also = [place[n] for n in data.positives[example.query] if n in place]
        allowed[row, also] = False
        allowed[row, group[0]] = True
    return allowed


def _ranking(scores: Tensor, plan: Plan, losses: Losses) -> dict[str, Tensor]:
    batch, device = plan.batch, scores.device
    positives = torch.tensor([g[0] for g in batch.groups], device=device)
    found: dict[str, Tensor] = {}
    if losses.infonce.weight:
        allowed = plan.allowed.to(device)
        found["infonce"] = infonce(scores, positives, allowed, temperature=losses.infonce.temperature)
    if not (losses.kl.weight or losses.margin_mse.weight or losses.margin_ranking.weight):
        return found
    own, teacher, present = _groups(scores, plan)
    if losses.kl.weight:
        found["kl"] = kl_distillation(own, teacher, present, temperature=losses.kl.temperature)
    if losses.margin_mse.weight:
        found["margin_mse"] = margin_mse(own, teacher, present)
    if losses.margin_ranking.weight:
        found["margin_ranking"] = margin_ranking(own, present, margin=losses.margin_ranking.margin)
    return found


def _groups(scores: Tensor, plan: Plan) -> tuple[Tensor, Tensor, Tensor]:
    """Each query's own documents, (queries, documents) each: scores, the teacher's, and which are there.

    A group shorter than the longest is filled up with its positive, at the teacher's 0, which no loss reads.
    """
    batch, device = plan.batch, scores.device
    size = max(map(len, batch.groups))
    rest = [size - len(group) for group in batch.groups]
    places = [[*group, *group[:1] * n] for group, n in zip(batch.groups, rest, strict=True)]
    taught = [
        [*(e.scores[batch.documents[p]] for p in group), *[0.0] * n]
        for e, group, n in zip(batch.examples, batch.groups, rest, strict=True)
    ]
    present = [[True] * (size - n) + [False] * n for n in rest]
    own = scores.gather(1, torch.tensor(places, device=device))
    return own, torch.tensor(taught, device=device), torch.tensor(present, device=device)


def _sparsity(encoded: Sequence[Tensor], plan: Plan, losses: Losses) -> dict[str, Tensor]:
    """Of the documents and, by themselves, of the terms: texts are most alike if all have the same few hundred terms.

    Where alignment is not held back by it, short texts come to hold words that have nothing to do with them.
    """
    share = plan.columns.share
    found = {"flops": [flops(v, share, threshold=losses.flops.threshold) for v in encoded]}
    if losses.idf_flops.weight:
        found["idf_flops"] = [idf_flops(v, share, plan.idf, threshold=losses.idf_flops.threshold) for v in encoded]
    if losses.l1.weight:
        found["l1"] = [l1(v, share, threshold=losses.l1.threshold) for v in encoded]
    return {name: torch.stack(values).sum() for name, values in found.items()}


def pairs_of_step(terms: Terms, recipe: Recipe, *, number: int) -> list[int]:
    """Which term pairs batch `number`, from 0, is told from."""
    return _draw_pairs(terms, recipe, _chance(recipe, number))


def _chance(recipe: Recipe, number: int) -> random.Random:
    return random.Random(f"{recipe.seed}/step/{number}")


def _draw_pairs(terms: Terms | None, recipe: Recipe, chance: random.Random) -> list[int]:
    if terms is None or not recipe.losses.alignment.weight:
        return []
    file = terms.files[0] if len(terms.files) == 1 else chance.choice(terms.files)
    return chance.sample(file, min(recipe.losses.alignment.pairs, len(file)))


def _alignment(vectors: Tensor, plan: Plan, *, temperature: float) -> Tensor:
    scaled = vectors * plan.columns.share.sqrt()
    confidence = torch.tensor(plan.confidence, device=vectors.device)
    n_pairs = len(plan.confidence)
    korean, english = scaled[:n_pairs], scaled[n_pairs:]
    if not temperature:
        return alignment(korean, english, confidence)
    rivals = _differing(plan.texts["terms"][:n_pairs]) & _differing(plan.texts["terms"][n_pairs:])
    return contrastive_alignment(korean, english, confidence, rivals.to(vectors.device), temperature=temperature)


def _differing(texts: Sequence[Sequence[int]]) -> Tensor:
    """(texts, texts) bool: which are not the same."""
    return torch.tensor([[one != other for other in texts] for one in texts])
