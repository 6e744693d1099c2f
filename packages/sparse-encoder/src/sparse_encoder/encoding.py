"""Passages to sparse vectors: sorted by length, in shards that survive a kill.

A shard is the vectors of a fixed run of passages; those that are done are not done again.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from sparse_encoder._files import InputError, whole, write_text
from sparse_encoder.model_folder import SparseModel
from sparse_encoder.network import Network
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


@torch.inference_mode()
def encode_texts(model: SparseModel, texts: Sequence[str], *, pruning: Pruning) -> list[tuple[np.ndarray, np.ndarray]]:
    """Token ids, ascending, and weights of each text, in the order given; a text of no known token has none."""
    network = Network(bert=model.bert, idf=model.idf, lexical=model.lexical)
    tokens = model.vocabulary.encode(texts, max_tokens=model.max_tokens, special=True)
    order = sorted(range(len(texts)), key=lambda i: (len(tokens[i]), i))
    found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for chosen in _batches(order, [len(t) for t in tokens]):
        weights = network.weights([tokens[i] for i in chosen], None)
        for i, row in zip(chosen, weights, strict=True):
            found[i] = prune(row.numpy(), pruning)
    return [found[i] for i in range(len(texts))]


def prune(row: np.ndarray, pruning: Pruning) -> tuple[np.ndarray, np.ndarray]:
    """The terms of a (vocab) row of weights that stay: ids, ascending, and their weights.

    >>> prune(np.array([0.0, 2.0, 0.5, 1.0], dtype=np.float32), Pruning(top_k=2))[0].tolist()
    [1, 3]
    """
    active = np.flatnonzero(row > pruning.ratio * row.max(initial=0.0))
    if len(active) > pruning.top_k:
        active = np.sort(active[np.argsort(-row[active], kind="stable")[: pruning.top_k]])
    return active.astype(np.int32), row[active].astype(np.float32)


def _batches(order: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    batch: list[int] = []
    for i in order:
        if batch and lengths[i] * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def encode_shards(
    model: SparseModel,
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
            vectors = encode_texts(model, [text for _, text in chosen], pruning=pruning)
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


def _write_shard(file: Path, vectors: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
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
