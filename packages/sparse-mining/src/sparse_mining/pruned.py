"""Exact top-k, compiled: accumulation in windows of documents, with MaxScore's bounds to leave long lists out.

Lists whose bounds together cannot lift a document into the top k are looked up in rather than walked, unless they are
short. A document is noted when its score passes what the top k asks for, so no pass over the window looks for it.
Importing this module loads numba, which costs more than a small search: `ranking` decides.

Source: Turtle and Flood 1995 (MaxScore); windows as in Lucene's MaxScoreBulkScorer.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

WINDOW = 32_768
"""Documents accumulated at once: 256 KB of float64, which stay in the second cache."""
LEAP = 32
"""Postings that are passed at once while the end of a list's part of the window is sought."""
CLEARED_AT_ONCE = 1 / 8
"""Share of a window's documents touched from which all of it is cleared, and not each of them."""
SHORT = 1 / 2
"""Length of a list, as a share of the postings of all essential ones, below which it is walked as they are."""
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
    began: NDArray[np.int64]
    """(n_terms): the first posting of each walked list's part of the window."""
    end: NDArray[np.int64]
    rest: NDArray[np.float64]
    """(n_terms + 1): what the lists from each on can add at most."""
    length: NDArray[np.int64]
    """(n_terms): postings of each list."""


class Room(NamedTuple):
    """Scores of the window, and the rows in it that can enter the heap."""

    buffer: NDArray[np.float64]
    chosen: NDArray[np.int32]


@njit(cache=True, nogil=True)
def search(lists: Lists, asked: Asked, best: Best, first: int, last: int) -> None:
    """Fills `best` for the queries first to last - 1; impacts and weights must be positive."""
    k = best.docs.shape[1]
    room = Room(np.zeros(WINDOW), np.empty(WINDOW + 1, np.int32))
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
    return Cursor(asked.weights[low:high], at, at.copy(), end, rest, end - at)


@njit(cache=True, nogil=True)
def _walk(lists, cursor, heap, room):  # type: ignore[no-untyped-def]
    """Window by window, as long as one of the essential lists, without which nothing enters the heap, goes on."""
    n_essential = len(cursor.at)
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
        n_walked = n_essential
        while n_walked < len(cursor.at) and cursor.length[n_walked] < SHORT * n_held:
            cursor.at[n_walked] = _advance(lists.docs, cursor.at[n_walked], cursor.end[n_walked], origin)
            n_walked += 1
        _window(lists, cursor, heap, room, origin, n_walked)


@njit(cache=True, nogil=True)
def _window(lists, cursor, heap, room, origin, n_walked):  # type: ignore[no-untyped-def]
    """Essential lists are walked, the others too where that is cheaper than looking up in them."""
    buffer, chosen = room
    n_chosen = _choose(lists, cursor, room, origin, heap.threshold[0] - cursor.rest[n_walked], n_walked)
    while n_walked < len(cursor.at) and n_chosen * LOOKUP * lists.n_docs >= cursor.length[n_walked] * WINDOW:
        cursor.at[n_walked] = _advance(lists.docs, cursor.at[n_walked], cursor.end[n_walked], origin)
        _add(lists, cursor, n_walked, buffer, origin)
        n_walked += 1
        n_chosen = _keep_above(room, n_chosen, heap.threshold[0] - cursor.rest[n_walked])
    if n_walked < len(cursor.at):
        chosen[:n_chosen].sort()
    for i in chosen[:n_chosen]:
        score = _complete(lists, cursor, buffer[i], n_walked, origin + i, heap.threshold[0])
        if _beats(heap, origin + i, score):
            _enter(heap, origin + i, score)
    _clear(lists, cursor, buffer, origin, n_walked)


@njit(cache=True, nogil=True)
def _choose(lists, cursor, room, origin, floor, n_walked):  # type: ignore[no-untyped-def]
    """Adds the lists' parts of the window; a document is chosen when its score first exceeds the floor."""
    buffer, chosen = room
    n_chosen = 0
    for j in range(n_walked):
        weight = cursor.weights[j]
        at, stop = cursor.at[j], _stop(lists.docs, cursor.at[j], cursor.end[j], origin + WINDOW)
        docs, impacts = lists.docs[at:stop], lists.impacts[at:stop]
        for place in range(stop - at):
            i = np.uint64(docs[place] - origin)
            before = buffer[i]
            after = before + weight * impacts[place]
            buffer[i] = after
            if after > floor:
                chosen[n_chosen] = i
                n_chosen += before <= floor
        cursor.began[j], cursor.at[j] = at, stop
    return n_chosen


@njit(cache=True, nogil=True)
def _add(lists, cursor, j, buffer, origin):  # type: ignore[no-untyped-def]
    """Adds a list's part of the window."""
    weight = cursor.weights[j]
    at, stop = cursor.at[j], _stop(lists.docs, cursor.at[j], cursor.end[j], origin + WINDOW)
    docs, impacts = lists.docs[at:stop], lists.impacts[at:stop]
    for place in range(stop - at):
        buffer[np.uint64(docs[place] - origin)] += weight * impacts[place]
    cursor.began[j], cursor.at[j] = at, stop


@njit(cache=True, nogil=True)
def _stop(docs, at, end, limit):  # type: ignore[no-untyped-def]
    """The first place at or after `at` whose document is not below the limit."""
    while at + LEAP <= end and docs[at + LEAP - 1] < limit:
        at += LEAP
    while at < end and docs[at] < limit:
        at += 1
    return at


@njit(cache=True, nogil=True)
def _keep_above(room, n_chosen, floor):  # type: ignore[no-untyped-def]
    """Keeps those chosen whose scores exceed the floor, in place."""
    n_kept = 0
    for i in room.chosen[:n_chosen]:
        room.chosen[n_kept] = i
        n_kept += room.buffer[i] > floor
    return n_kept


@njit(cache=True, nogil=True)
def _clear(lists, cursor, buffer, origin, n_walked):  # type: ignore[no-untyped-def]
    n_touched = 0
    for j in range(n_walked):
        n_touched += cursor.at[j] - cursor.began[j]
    if n_touched > CLEARED_AT_ONCE * WINDOW:
        buffer[:] = 0.0
        return
    for j in range(n_walked):
        for doc in lists.docs[cursor.began[j] : cursor.at[j]]:
            buffer[np.uint64(doc - origin)] = 0.0


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
def _beats(heap, doc, score):  # type: ignore[no-untyped-def]
    """Whether a document belongs into the heap; documents of a window may come in any order."""
    if heap.size[0] < len(heap.docs):
        return score > heap.threshold[0]
    return _worse(heap.scores[0], heap.docs[0], score, doc)


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
