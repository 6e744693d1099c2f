"""Shards: long work in pieces that are kept, so that a killed command goes on where it was.

Pieces lie in a work folder under a fingerprint of all that decides them; another fingerprint throws them away.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from sparse_mining._files import read_jsonl, write_jsonl, write_text

T = TypeVar("T")


def fingerprint(*parts: object) -> str:
    """A digest of values that msgspec can encode.

    >>> fingerprint("a", 1)[:8]
    '135f17a4'
    """
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()


def in_shards(
    work: Path, key: str, *, n_items: int, size: int, make: Callable[[int, int], Iterable[T]], kind: type[T]
) -> Iterator[T]:
    """Yields make(0, size), make(size, 2 * size) ... of n_items, each piece from `work` if it is there already.

    `make` gets the first item and one past the last; what it gives is written before it is yielded.
    """
    stamp = work / "fingerprint.txt"
    if not stamp.is_file() or stamp.read_text() != key:
        shutil.rmtree(work, ignore_errors=True)
        write_text(stamp, key)
    for number, first in enumerate(range(0, n_items, size)):
        shard = work / f"{number:06d}.jsonl"
        if not shard.is_file():
            write_jsonl(shard, make(first, min(first + size, n_items)))
        yield from read_jsonl(shard, kind)
