"""How much a mean, or a difference of means, would vary with other queries: bootstrap and randomization.

Many statistics are resampled at once, as matrix products, over the same draws.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_RESAMPLES = 10_000
LEVEL = 0.95
BLOCK = 2_000_000
"""Draws held in memory at once."""

_TOLERANCE = 1e-9
"""Sums of the same numbers in another order differ by less."""

TEST = "paired permutation"


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends of a 95 % percentile bootstrap interval, one value per statistic."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


def bootstrap(values: NDArray[np.float64], *, seed: int, n_resamples: int = N_RESAMPLES) -> Interval:
    """The percentile bootstrap interval of the mean of each row, queries drawn with replacement.

    values: (n_statistics, n_queries), one query at least. Rows share their draws, so that their intervals fit together.
    Source: Efron 1979, doi:10.1214/aos/1176344552.

    >>> interval = bootstrap(np.array([[1.0, 1.0, 1.0], [0.0, 0.5, 1.0]]), seed=42)
    >>> interval.low[0], interval.high[0], bool(interval.low[1] < 0.5 < interval.high[1])
    (np.float64(1.0), np.float64(1.0), True)
    """
    n_queries = values.shape[1]
    rng = np.random.default_rng(seed)
    means = [_counts(rng, size, n_queries) @ values.T / n_queries for size in _blocks(n_resamples, n_queries)]
    tail = (1.0 - LEVEL) / 2.0
    low, high = np.quantile(np.concatenate(means), [tail, 1.0 - tail], axis=0)
    return Interval(low, high)


def permutation_p(
    differences: NDArray[np.float64], *, seed: int, n_resamples: int = N_RESAMPLES
) -> NDArray[np.float64]:
    """The two-sided p-value of each row of paired differences: how often random signs give as large a mean.

    differences: (n_statistics, n_queries). The observed signs count as one draw, so that p is never 0; it is 1 where
    all differences are 0. With 2^n signs no more than the draws, all of them are taken and p is exact.
    Source: Fisher's randomization test, as Smucker et al. 2007, doi:10.1145/1321440.1321528.

    >>> [float(p) for p in permutation_p(np.array([[0.5, 0.5, 0.5], [0.0, 0.0, 0.0]]), seed=42)]
    [0.25, 1.0]
    """
    n_queries = differences.shape[1]
    observed = np.abs(differences.sum(axis=1)) - _TOLERANCE
    if n_queries < 63 and 2**n_queries <= n_resamples:
        every = (np.arange(2**n_queries)[:, None] >> np.arange(n_queries)) & 1
        exact: NDArray[np.float64] = (np.abs((1.0 - 2.0 * every) @ differences.T) >= observed).mean(axis=0)
        return exact
    rng = np.random.default_rng(seed)
    n_as_large = np.ones(len(differences))
    for size in _blocks(n_resamples, n_queries):
        signs = 1.0 - 2.0 * rng.integers(0, 2, size=(size, n_queries))
        n_as_large += (np.abs(signs @ differences.T) >= observed).sum(axis=0)
    p_values: NDArray[np.float64] = n_as_large / (n_resamples + 1)
    return p_values


def _counts(rng: np.random.Generator, n_resamples: int, n_queries: int) -> NDArray[np.float64]:
    """How often each query was drawn in each resample, (n_resamples, n_queries)."""
    drawn = rng.integers(0, n_queries, size=(n_resamples, n_queries))
    drawn += np.arange(n_resamples)[:, None] * n_queries
    counts = np.bincount(drawn.ravel(), minlength=n_resamples * n_queries)
    return counts.reshape(n_resamples, n_queries).astype(np.float64)


def _blocks(n_resamples: int, n_queries: int) -> Iterator[int]:
    """Sizes of blocks of resamples, each of at most BLOCK draws or of one resample."""
    size = max(1, BLOCK // max(1, n_queries))
    for start in range(0, n_resamples, size):
        yield min(size, n_resamples - start)
