"""Times of ours and of a peer on one machine: they take turns, so that both meet the same load, and the best counts."""

import time
from collections.abc import Callable


def best_of(*works: Callable[[], object], rounds: int) -> list[float]:
    """Seconds of each work, the best of several rounds after one to warm up."""
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(rounds + 1):
        for number, work in enumerate(works):
            started = time.perf_counter()
            work()
            seconds[number].append(time.perf_counter() - started)
    return [min(found[1:]) for found in seconds]
