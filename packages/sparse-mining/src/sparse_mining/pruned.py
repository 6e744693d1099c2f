"""Exact top-k, compiled: accumulation in windows of documents, with MaxScore's bounds to leave long lists out.

Lists whose bounds together cannot lift a document into the top k are only looked up in, never walked. Importing this
module loads numba, which costs more than a small search: `ranking` decides.

Source: Turtle and Flood 1995 (MaxScore); windows as in Lucene's MaxScoreBulkScorer.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

WINDOW = 4096
"""Documents accumulated at once: 32 KB of float64, which stays in the first cache."""
SPARSE_WINDOW = 65_536
"""Documents accumulated at once where few of them are touched, which are listed instead of looked for."""
SPARSE_BELOW = 1 / 12
"""Share of documents in essential lists below which that pays."""
STRIDE = 16
"""Scores compared at once; divides WINDOW."""
LOOKUP = 16
"""Postings that can be walked in the time that one takes to be looked up."""
SLACK = 1 + 1e-9
"""Bounds are widened by more than float64 additions in another order can differ."""


class Lists(NamedTuple):
    """Inverted lists; see `postings.Postings`."""

    starts: NDArray[np.int64]
    docs: NDArray[np.int32]
    impacts: NDArray[np.float32] | NDArray[np.float64]
    n_docs: int


class Asked(NamedTuple):
    """Queries whose terms stand by falling bound; bounds are weight times the list's highest impact."""

    starts: NDArray[np.int64]
    terms: NDArray[np.int32]
    weights: NDArray[np.float64]
    bounds: NDArray[np.float64]
    floors: NDArray[np.float64]
    """(n_queries): a score that the k-th best is known to reach, from which on a document is worth looking at."""


class Best(NamedTuple):
    """What was found: (n_queries, k), best first, and how many of the k are there."""

    docs: NDArray[np.int32]
    scores: NDArray[np.float64]
    counts: NDArray[np.int64]


class Heap(NamedTuple):
    """The best so far, the worst of them at the root."""

    docs: NDArray[np.int32]
    scores: NDArray[np.float64]
    size: NDArray[np.int64]
    """(1)"""
    threshold: NDArray[np.float64]
    """(1): a score must be above it to enter."""


class Cursor(NamedTuple):
    """Where a query's walk through its lists stands."""

    weights: NDArray[np.float64]
    at: NDArray[np.int64]
    """(n_terms): the next posting of each list."""
    end: NDArray[np.int64]
    rest: NDArray[np.float64]
    """(n_terms + 1): what the lists from each on can add at most."""
    length: NDArray[np.int64]
    """(n_terms): postings of each list."""


class Room(NamedTuple):
    """Scores of the window, rows touched in it, and those of them that can enter the heap."""

    buffer: NDArray[np.float64]
    touched: NDArray[np.int32]
    chosen: NDArray[np.int32]


@njit(cache=True, nogil=True)
def search(lists: Lists, asked: Asked, best: Best, first: int, last: int) -> None:
    """Fills `best` for the queries first to last - 1; impacts and weights must be positive."""
    k = best.docs.shape[1]
    room = Room(np.zeros(SPARSE_WINDOW), np.empty(SPARSE_WINDOW + 1, np.int32), np.empty(SPARSE_WINDOW + 1, np.int32))
    heap = Heap(np.empty(k, np.int32), np.empty(k), np.zeros(1, np.int64), np.zeros(1))
    for query in range(first, last):
        heap.size[0] = 0
        heap.threshold[0] = asked.floors[query]
        cursor = _start(lists, asked, asked.starts[query], asked.starts[query + 1])
        _walk(lists, cursor, heap, room)
        n_found = heap.size[0]
        best.counts[query] = n_found
        while n_found > 0:
            n_found -= 1
            best.docs[query, n_found] = heap.docs[0]
            best.scores[query, n_found] = heap.scores[0]
            _sift_down(heap.docs, heap.scores, n_found, heap.docs[n_found], heap.scores[n_found])


@njit(cache=True, nogil=True)
def _start(lists, asked, low, high):  # type: ignore[no-untyped-def]
    n_terms = high - low
    at = np.empty(n_terms, np.int64)
    end = np.empty(n_terms, np.int64)
    rest = np.zeros(n_terms + 1)
    for j in range(n_terms - 1, -1, -1):
        term = asked.terms[low + j]
        at[j] = lists.starts[term]
        end[j] = lists.starts[term + 1]
        rest[j] = rest[j + 1] + asked.bounds[low + j] * SLACK
    return Cursor(asked.weights[low:high], at, end, rest, end - at)


@njit(cache=True, nogil=True)
def _walk(lists, cursor, heap, room):  # type: ignore[no-untyped-def]
    """Window by window: essential lists are walked, the others too where that is cheaper than looking up in them."""
    n_essential = len(cursor.at)
    origin = 0
    while True:
        while n_essential > 0 and cursor.rest[n_essential - 1] <= heap.threshold[0]:
            n_essential -= 1
        origin, n_held = lists.n_docs, 0
        for j in range(n_essential):
            n_held += cursor.length[j]
            if cursor.at[j] < cursor.end[j]:
                origin = min(origin, lists.docs[cursor.at[j]])
        if origin == lists.n_docs:
            break
        if n_held < SPARSE_BELOW * lists.n_docs:
            _sparse_window(lists, cursor, heap, room, origin, n_essential)
        else:
            _dense_window(lists, cursor, heap, room.buffer, origin, n_essential)


@njit(cache=True, nogil=True)
def _dense_window(lists, cursor, heap, buffer, origin, n_walked):  # type: ignore[no-untyped-def]
    for j in range(n_walked):
        cursor.at[j] = _accumulate(lists, cursor.at[j], cursor.end[j], cursor.weights[j], buffer, origin)
    while n_walked < len(cursor.at):
        n_above = _count_above(buffer, heap.threshold[0] - cursor.rest[n_walked])
        if n_above * LOOKUP * lists.n_docs < cursor.length[n_walked] * WINDOW:
            break
        at = _advance(lists.docs, cursor.at[n_walked], cursor.end[n_walked], origin)
        cursor.at[n_walked] = _accumulate(lists, at, cursor.end[n_walked], cursor.weights[n_walked], buffer, origin)
        n_walked += 1
    _harvest(lists, cursor, heap, buffer, origin, n_walked)
    buffer[:WINDOW] = 0.0


@njit(cache=True, nogil=True)
def _sparse_window(lists, cursor, heap, room, origin, n_walked):  # type: ignore[no-untyped-def]
    buffer, touched, chosen = room
    n_touched = 0
    for j in range(n_walked):
        n_touched = _list(lists, cursor, j, room, origin, n_touched)
    while True:
        floor = heap.threshold[0] - cursor.rest[n_walked]
        n_above = 0
        for t in range(n_touched):
            chosen[n_above] = touched[t]
            n_above += buffer[touched[t]] > floor
        if n_walked == len(cursor.at) or n_above * LOOKUP * lists.n_docs < cursor.length[n_walked] * SPARSE_WINDOW:
            break
        cursor.at[n_walked] = _advance(lists.docs, cursor.at[n_walked], cursor.end[n_walked], origin)
        n_touched = _list(lists, cursor, n_walked, room, origin, n_touched)
        n_walked += 1
    chosen[:n_above].sort()
    for i in chosen[:n_above]:
        score = _complete(lists, cursor, buffer[i], n_walked, origin + i, heap.threshold[0])
        if score > heap.threshold[0]:
            _enter(heap, origin + i, score)
    for t in range(n_touched):
        buffer[touched[t]] = 0.0


@njit(cache=True, nogil=True)
def _list(lists, cursor, j, room, origin, n_touched):  # type: ignore[no-untyped-def]
    """Adds a list's part of the window, and each document touched for the first time to those touched."""
    at, end, weight, limit = cursor.at[j], cursor.end[j], cursor.weights[j], origin + SPARSE_WINDOW
    buffer, touched = room.buffer, room.touched
    while at < end and lists.docs[at] < limit:
        i = lists.docs[at] - origin
        touched[n_touched] = i
        n_touched += buffer[i] == 0.0
        buffer[i] += weight * lists.impacts[at]
        at += 1
    cursor.at[j] = at
    return n_touched


@njit(cache=True, nogil=True)
def _harvest(lists, cursor, heap, buffer, origin, n_walked):  # type: ignore[no-untyped-def]
    """Completes the scores that can still enter the heap, by looking up in the lists not walked, and enters them."""
    floor = heap.threshold[0] - cursor.rest[n_walked]
    for start in range(0, WINDOW, STRIDE):
        n_above = 0
        for i in range(STRIDE):
            n_above += buffer[start + i] > floor
        if n_above == 0:
            continue
        for i in range(start, start + STRIDE):
            if buffer[i] > floor:
                score = _complete(lists, cursor, buffer[i], n_walked, origin + i, heap.threshold[0])
                if score > heap.threshold[0]:
                    _enter(heap, origin + i, score)
                    floor = heap.threshold[0] - cursor.rest[n_walked]


@njit(cache=True, nogil=True)
def _complete(lists, cursor, score, n_walked, doc, threshold):  # type: ignore[no-untyped-def]
    """A document's whole score; 0 as soon as it cannot exceed the threshold."""
    for j in range(n_walked, len(cursor.at)):
        if score + cursor.rest[j] <= threshold:
            return 0.0
        at = _advance(lists.docs, cursor.at[j], cursor.end[j], doc)
        cursor.at[j] = at
        if at < cursor.end[j] and lists.docs[at] == doc:
            score += cursor.weights[j] * lists.impacts[at]
    return score


@njit(cache=True, nogil=True)
def _enter(heap, doc, score):  # type: ignore[no-untyped-def]
    k = len(heap.docs)
    if heap.size[0] < k:
        _sift_up(heap.docs, heap.scores, heap.size[0], doc, score)
        heap.size[0] += 1
    else:
        _sift_down(heap.docs, heap.scores, k, doc, score)
    if heap.size[0] == k:
        heap.threshold[0] = heap.scores[0]


@njit(cache=True, nogil=True)
def _count_above(buffer, floor):  # type: ignore[no-untyped-def]
    n_above = 0
    for i in range(WINDOW):
        n_above += buffer[i] > floor
    return n_above


@njit(cache=True, nogil=True)
def _accumulate(lists, at, end, weight, buffer, origin):  # type: ignore[no-untyped-def]
    """Adds a list's part of the window and returns where it goes on."""
    limit = origin + WINDOW
    while at < end and lists.docs[at] < limit:
        buffer[np.uint64(lists.docs[at] - origin)] += weight * lists.impacts[at]
        at += 1
    return at


@njit(cache=True, nogil=True)
def _advance(docs, at, end, doc):  # type: ignore[no-untyped-def]
    """The first place at or after `at` whose document is not below `doc`, by doubling steps and halving."""
    step = 1
    low = at
    while low + step < end and docs[low + step] < doc:
        low += step
        step *= 2
    high = min(low + step, end)
    while low < high:
        middle = (low + high) // 2
        if docs[middle] < doc:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _worse(score, doc, other_score, other_doc):  # type: ignore[no-untyped-def]
    return score < other_score or (score == other_score and doc > other_doc)


@njit(cache=True, nogil=True)
def _sift_up(docs, scores, place, doc, score):  # type: ignore[no-untyped-def]
    """Puts an entry into a heap whose root is the worst."""
    while place > 0:
        parent = (place - 1) // 2
        if not _worse(score, doc, scores[parent], docs[parent]):
            break
        docs[place], scores[place] = docs[parent], scores[parent]
        place = parent
    docs[place], scores[place] = doc, score


@njit(cache=True, nogil=True)
def _sift_down(docs, scores, size, doc, score):  # type: ignore[no-untyped-def]
    """Replaces the root, the worst entry, and restores the heap of that size."""
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and _worse(scores[child + 1], docs[child + 1], scores[child], docs[child]):
            child += 1
        if not _worse(scores[child], docs[child], score, doc):
            break
        docs[place], scores[place] = docs[child], scores[child]
        place = child
    docs[place], scores[place] = doc, score
