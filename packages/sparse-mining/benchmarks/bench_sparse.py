"""Sparse vectors, ours against scipy's product and argpartition, in one process: one thread by processor time, two,
which share out the queries, by the wall's. Only the first is checked: other work on the machine disturbs the second.

Run: `python benchmarks/bench_sparse.py [--check | --record]`.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.sparse as sp
from figures import add_options, in_turns, settle
from sparse_mining import ranking
from sparse_mining.postings import Bags, Postings, bags, group

K = 100
N_TERMS = 32_000


def rows(n: int, width: int, draw: np.random.Generator) -> sp.csr_array:
    """Vectors of so many terms, frequent ones rather, with skewed weights."""
    cumulative = np.cumsum(1 / (np.arange(N_TERMS) + 200.0) ** 0.8)
    columns = np.minimum(np.searchsorted(cumulative / cumulative[-1], draw.random(n * width)), N_TERMS - 1)
    weights = draw.lognormal(-0.5, 0.7, n * width).astype(np.float32)
    table = sp.csr_array((weights, columns, np.arange(0, n * width + 1, width)), (n, N_TERMS))
    table.sum_duplicates()
    return table


def inverted(documents: sp.csr_array) -> Postings:
    by_term = documents.tocsc()
    by_term.sort_indices()
    starts, held = by_term.indptr.astype(np.int64), by_term.indices.astype(np.int32)
    return group(starts=starts, docs=held, impacts=by_term.data, n_docs=documents.shape[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    add_options(parser)
    given = parser.parse_args()
    draw = np.random.default_rng(42)
    documents, queries = rows(given.documents, 100, draw), rows(given.queries, 20, draw)
    postings = inverted(documents)
    spans = [slice(a, b) for a, b in zip(queries.indptr[:-1], queries.indptr[1:], strict=True)]
    asked: Bags = bags((queries.indices[s].tolist(), queries.data[s].tolist()) for s in spans)
    turned = documents.T.tocsr()

    def scipy_search(part: range) -> None:
        for row in part:
            scores = (queries[[row]] @ turned).toarray().ravel()
            top = np.argpartition(-scores, K)[:K]
            top[np.argsort(-scores[top])]

    figures: dict[str, float] = {}
    with ThreadPoolExecutor(2) as pool:
        for n_threads in (1, 2):

            def ours(n_threads: int = n_threads) -> object:
                return ranking.compiled(postings, ranking.order_terms(postings, asked), K, n_threads=n_threads)

            def theirs(n_threads: int = n_threads) -> object:
                parts = [range(first, given.queries, n_threads) for first in range(n_threads)]
                return list(pool.map(scipy_search, parts))

            clock = "cpu_seconds" if n_threads == 1 else "seconds"
            taken = in_turns({"ours": ours, "scipy": theirs}, rounds=given.rounds)
            figures[f"ms_{n_threads}_threads"] = 1000 * taken["ours"][clock] / given.queries
            figures[f"x_scipy_{n_threads}_threads"] = taken["scipy"][clock] / taken["ours"][clock]
    settle(f"sparse {given.documents}", figures, ratios=["x_scipy_1_threads"], options=given)


if __name__ == "__main__":
    main()
