"""Long encodings in shards that survive a kill, by one process or several. Light: no torch here.

A shard is the vectors of a fixed run of texts; those that are done are not done again.
"""

import hashlib
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sparse_encoder._files import InputError, whole, write_text
from sparse_encoder.pruning import Pruning, Terms
from sparse_encoder.vectors import Vector

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

SHARD = 2000
"""Texts to a shard, if nobody wants another number."""
BATCH_TOKENS = 1024
"""Tokens, padding included, that go through a model at once: what they need stays in a processor's cache."""


class Encoder(Protocol):
    """The document side of a model, in whatever form it runs."""

    tokens: tuple[str, ...]
    """The vocabulary in order of id."""
    max_active_terms: int
    """The model's own limit."""

    def encode(self, texts: Sequence[str], *, pruning: Pruning) -> list[Terms]:
        """The terms of each text, in the order given; a text of no known token has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """Where the shards of an encoding lie until it is done."""

    folder: Path
    identity: str = ""
    """Hash of what decides the vectors: shards of another are refused."""
    n_texts: int = SHARD
    """Texts to a shard."""


def encode_shards(
    encoder: Encoder,
    texts: Sequence[tuple[str, str]],
    *,
    pruning: Pruning,
    work: Partial,
    log: Callable[[str], None],
) -> Iterator[Vector]:
    """Yields the vectors of (id, text) passages in order; shards done by an earlier call are read from `work`."""
    _claim(work)
    for start in range(0, len(texts), work.n_texts):
        chosen = texts[start : start + work.n_texts]
        file = _file(work, start)
        kept = file.is_file()
        if not kept:
            _write_shard(file, encoder.encode([text for _, text in chosen], pruning=pruning))
        n_done = min(start + work.n_texts, len(texts))
        log(f"{'kept from before' if kept else 'encoded'}: {n_done} of {len(texts)}")
        yield from _read_shard(file, [name for name, _ in chosen])


def fill_shards(
    build: Callable[[int, int], Encoder],
    texts: Sequence[tuple[str, str]],
    *,
    pruning: Pruning,
    work: Partial,
    processes: int,
    log: Callable[[str], None],
) -> None:
    """Writes the shards that are not there yet, each by one of several processes; `encode_shards` then reads them.

    build: makes the encoder in a process of its own, given how many there are and its number; it must be picklable.
    Whatever ends this early (Ctrl-C, an error in one of them), the shards begun are finished and no more are begun.
    """
    _claim(work)
    starts = [start for start in range(0, len(texts), work.n_texts) if not _file(work, start).is_file()]
    if not starts:
        return
    context = multiprocessing.get_context("spawn")
    n, stopping = min(processes, len(starts)), context.Event()
    given = (build, n, context.Value("i"), stopping)
    with ProcessPoolExecutor(n, mp_context=context, initializer=_start, initargs=given) as pool:
        try:
            found = {}
            with _ctrl_c_ignored():  # processes are started by these calls, and are born with it ignored
                for start in starts:
                    chosen = [text for _, text in texts[start : start + work.n_texts]]
                    found[pool.submit(_fill, chosen, pruning, _file(work, start))] = len(chosen)
            log(f"{n} processes start, each with a model of its own")
            n_done = len(texts) - sum(found.values())
            for done in as_completed(found):
                done.result()
                n_done += found[done]
                log(f"encoded: {n_done} of {len(texts)}")
        except KeyboardInterrupt:
            log("stopping, when each process has finished its shard")
            raise
        except BrokenProcessPool as error:
            raise InputError(
                "a process of --processes died, perhaps for want of memory: run the same command again to go on, with "
                "fewer processes"
            ) from error
        finally:
            stopping.set()
            pool.shutdown(cancel_futures=True)


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """Ctrl-C reaches every process of a terminal, and is for the first of them to heed."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what becomes of signals
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worker:
    """What a worker process holds."""

    encoder: Encoder
    stopping: Event


_workers: list[_Worker] = []
"""A worker process's own, once it has started."""


def _start(
    build: Callable[[int, int], Encoder], processes: int, n_started: "Synchronized[int]", stopping: Event
) -> None:
    with n_started.get_lock():
        number = n_started.value
        n_started.value += 1
    if not stopping.is_set():
        _workers.append(_Worker(encoder=build(processes, number), stopping=stopping))


def _fill(texts: Sequence[str], pruning: Pruning, file: Path) -> None:
    for worker in _workers:
        if not worker.stopping.is_set():
            _write_shard(file, worker.encoder.encode(texts, pruning=pruning))


def by_length(texts: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Places of texts (token ids) that go through a model at once: of like length, at most BATCH_TOKENS with padding.

    >>> list(by_length([[1] * 900, [1, 2], [1] * 500]))
    [[1, 2], [0]]
    """
    batch: list[int] = []
    for i in sorted(range(len(texts)), key=lambda i: (len(texts[i]), i)):
        if batch and len(texts[i]) * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def identity_of(*parts: str) -> str:
    """A hash of what decides the vectors, so that partial work of another run is never taken up."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _claim(work: Partial) -> None:
    note = work.folder / "identity"
    if note.is_file() and note.read_text(encoding="utf-8") != work.identity:
        raise InputError(
            f"{work.folder}: holds partial work of another model, input or option; remove it, or give another --work"
        )
    write_text(note, work.identity)


def _file(work: Partial, start: int) -> Path:
    return work.folder / f"shard-{start:09d}.npz"


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
