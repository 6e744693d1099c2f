"""Passages to sparse vectors: sorted by length, in shards that survive a kill.

A shard is the vectors of a fixed run of passages; those that are done are not done again.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from sparse_encoder._files import InputError, whole, write_text
from sparse_encoder.model_folder import SparseModel
from sparse_encoder.network import Network, padded
from sparse_encoder.screening import Screen, screens
from sparse_encoder.vectors import Vector

BATCH_TOKENS = 4096
"""Tokens, padding included, that go through the model at once."""
SHARD = 2000
"""Texts to a shard, if nobody wants another number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """Where the shards of an encoding lie until it is done."""

    folder: Path
    identity: str = ""
    """Hash of what decides the vectors: shards of another are refused."""
    n_texts: int = SHARD
    """Texts to a shard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """Which active terms of a document stay."""

    top_k: int
    """At most so many, the heaviest; at equal weight the smaller id."""
    ratio: float = 0.0
    """Only those of at least this share of the heaviest."""


Terms = tuple[NDArray[np.int32], NDArray[np.float32]]
"""A text's token ids, ascending, and their weights."""


class Encoder(Protocol):
    """The document side of a model, in whatever form it runs."""

    tokens: tuple[str, ...]
    """The vocabulary in order of id."""

    def encode(self, texts: Sequence[str], *, pruning: Pruning) -> list[Terms]:
        """The terms of each text, in the order given; a text of no known token has none."""


class TorchEncoder:
    """A model folder's document side in PyTorch."""

    def __init__(self, model: SparseModel) -> None:
        self.model = model
        self.tokens = model.vocabulary.tokens
        self.network = Network(bert=model.bert, idf=model.idf, lexical=model.lexical)
        weight = model.bert.output_weight().detach()
        self.screen = Screen(weight, model.bert.output_bias().detach()) if screens(weight.device) else None

    @torch.inference_mode()
    def encode(self, texts: Sequence[str], *, pruning: Pruning) -> list[Terms]:
        """As `Encoder` has it."""
        model = self.model
        tokens = model.vocabulary.encode(texts, max_tokens=model.max_tokens, special=True)
        found: dict[int, Terms] = {}
        for chosen in batches(tokens):
            found.update(zip(chosen, self._terms([tokens[i] for i in chosen], pruning), strict=True))
        return [found[i] for i in range(len(texts))]

    def _terms(self, texts: Sequence[Sequence[int]], pruning: Pruning) -> list[Terms]:
        if self.screen is None:
            return [prune(row.numpy(), pruning) for row in self.network.weights(texts, None)]
        ids, mask = padded(texts, device=self.screen.weight.device)
        lexical = self.model.lexical
        counted = lexical(ids, mask, None) if lexical is not None else None
        found = self.screen.terms(self.model.bert.hidden(ids, mask), mask, counted, top_k=pruning.top_k)
        return [prune_terms(kept.numpy(), weights.numpy(), pruning) for kept, weights in found]


def encode_texts(model: SparseModel, texts: Sequence[str], *, pruning: Pruning) -> list[Terms]:
    """Token ids, ascending, and weights of each text, in the order given; a text of no known token has none."""
    return TorchEncoder(model).encode(texts, pruning=pruning)


def prune(row: NDArray[np.float32], pruning: Pruning) -> Terms:
    """The terms of a (vocab) row of weights that stay: ids, ascending, and their weights.

    >>> prune(np.array([0.0, 2.0, 0.5, 1.0], dtype=np.float32), Pruning(top_k=2))[0].tolist()
    [1, 3]
    """
    return prune_terms(np.arange(len(row)), row, pruning)


def prune_terms(ids: NDArray[np.integer], weights: NDArray[np.float32], pruning: Pruning) -> Terms:
    """The same of some terms, given by their ids, ascending."""
    active = np.flatnonzero(weights > pruning.ratio * weights.max(initial=0.0))
    if len(active) > pruning.top_k:
        active = np.sort(active[np.argsort(-weights[active], kind="stable")[: pruning.top_k]])
    return ids[active].astype(np.int32), weights[active].astype(np.float32)


def batches(texts: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Places of texts (token ids) that go through a model at once, by length: at most BATCH_TOKENS with padding."""
    batch: list[int] = []
    for i in sorted(range(len(texts)), key=lambda i: (len(texts[i]), i)):
        if batch and len(texts[i]) * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def encode_shards(
    encoder: Encoder,
    texts: Sequence[tuple[str, str]],
    *,
    pruning: Pruning,
    work: Partial,
    log: Callable[[str], None],
) -> Iterator[Vector]:
    """Yields the vectors of (id, text) passages in order; shards done by an earlier call are read from `work`."""
    _claim(work.folder, work.identity)
    for start in range(0, len(texts), work.n_texts):
        chosen = texts[start : start + work.n_texts]
        file = work.folder / f"shard-{start:09d}.npz"
        kept = file.is_file()
        if not kept:
            vectors = encoder.encode([text for _, text in chosen], pruning=pruning)
            _write_shard(file, vectors)
        n_done = min(start + work.n_texts, len(texts))
        log(f"{'kept from before' if kept else 'encoded'}: {n_done} of {len(texts)}")
        yield from _read_shard(file, [name for name, _ in chosen])


def identity_of(*parts: str) -> str:
    """A hash of what decides the vectors, so that partial work of another run is never taken up."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _claim(work: Path, identity: str) -> None:
    note = work / "identity"
    if note.is_file() and note.read_text(encoding="utf-8") != identity:
        raise InputError(
            f"{work}: holds partial work of another model, input or option; remove it, or give another --work"
        )
    write_text(note, identity)


def _write_shard(file: Path, vectors: Sequence[Terms]) -> None:
    offsets = np.cumsum([0, *(len(ids) for ids, _ in vectors)])
    ids = np.concatenate([ids for ids, _ in vectors])
    weights = np.concatenate([weights for _, weights in vectors])
    with whole(file) as part, part.open("wb") as data:
        np.savez(data, offsets=offsets, ids=ids, weights=weights)


def _read_shard(file: Path, names: Sequence[str]) -> Iterator[Vector]:
    with np.load(file, allow_pickle=False) as data:
        offsets, ids, weights = data["offsets"], data["ids"], data["weights"]
    for name, start, end in zip(names, offsets[:-1], offsets[1:], strict=True):
        yield Vector(id=name, token_ids=ids[start:end], weights=weights[start:end])
