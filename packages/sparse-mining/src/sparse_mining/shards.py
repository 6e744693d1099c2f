"""Shards: long work in pieces that are kept, so that a killed command goes on where it was.

Pieces lie in a work folder under a fingerprint of all that decides them; another fingerprint throws them away.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from sparse_mining._files import read_jsonl, whole, write_jsonl, write_text
from sparse_mining.arrays import Matrix, load_array

T = TypeVar("T")


def fingerprint(*parts: object) -> str:
    """A digest of values that msgspec can encode.

    >>> fingerprint("a", 1)[:8]
    '135f17a4'
    """
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()


def digest(texts: Iterable[str]) -> str:
    """A digest of many texts, which need not be held as one.

    >>> digest(["가", "나"]) == digest(["가나"])
    False
    """
    found = hashlib.sha256()
    for text in texts:
        data = text.encode()
        found.update(len(data).to_bytes(8, "little") + data)
    return found.hexdigest()


def in_shards(
    work: Path, key: str, *, n_items: int, size: int, make: Callable[[int, int], Iterable[T]], kind: type[T]
) -> Iterator[T]:
    """Yields make(0, size), make(size, 2 * size) ... of n_items, each piece from `work` if it is there already.

    `make` gets the first item and one past the last; what it gives is written before it is yielded.
    """
    _claim(work, key)
    for number, first in enumerate(range(0, n_items, size)):
        shard = work / f"{number:06d}.jsonl"
        if not shard.is_file():
            write_jsonl(shard, make(first, min(first + size, n_items)))
        yield from read_jsonl(shard, kind)


def matrix_in_shards(
    work: Path, key: str, *, n_items: int, size: int, make: Callable[[int, int], Matrix]
) -> Iterator[Matrix]:
    """The same for rows of vectors, kept as `.npy` and memory-mapped when they are yielded."""
    _claim(work, key)
    for number, first in enumerate(range(0, n_items, size)):
        shard = work / f"{number:06d}.npy"
        if not shard.is_file():
            rows = make(first, min(first + size, n_items))
            with whole(shard) as part, part.open("wb") as file:
                np.save(file, rows)
        yield load_array(shard).astype(np.float32, copy=False)


def _claim(work: Path, key: str) -> None:
    stamp = work / "fingerprint.txt"
    if not stamp.is_file() or stamp.read_text() != key:
        for piece in work.glob("[0-9]*.*"):
            piece.unlink()
        write_text(stamp, key)
