"""Ours and the peers' search in one process: BM25 against rank_bm25 and bm25s, sparse vectors against scipy.

Run it with `python benchmarks/search.py [PASSAGES --analyser words]`; it prints ratios and never fails on time.
Every time is the best of several rounds in which ours and the peer's take turns, so that both meet the same machine.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import bm25s
import numpy as np
import scipy.sparse as sp
from bm25s.tokenization import Tokenized
from corpus import Texts, real, synthetic
from rank_bm25 import BM25Okapi
from sparse_mining import bm25, ranking
from sparse_mining.postings import Bags, bags, group
from sparse_mining.settings import Settings
from sparse_mining.terms import Terms

ROUNDS = 5
K = 100


def best_of(*works: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Seconds of each work, the best of rounds in which they take turns, after one to warm up."""
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(rounds + 1):
        for number, work in enumerate(works):
            started = time.perf_counter()
            work()
            seconds[number].append(time.perf_counter() - started)
    return [min(found[1:]) for found in seconds]


def build_indexes(terms: Texts) -> tuple[bm25.BM25, bm25s.BM25, dict[str, float]]:
    vocabulary = {str(i): i for i in range(terms.n_terms)}
    corpus = Tokenized(ids=terms.documents(), vocab=vocabulary)
    peer = bm25s.BM25(method="lucene", k1=1.2, b=0.75, backend="numba")
    ours: list[bm25.BM25] = []
    found = best_of(
        lambda: ours.append(bm25.build_from_terms(Terms(terms.ids, terms.starts, vocabulary), Settings())),
        lambda: peer.index(corpus, show_progress=False),
        rounds=1,
    )
    index = ours[-1]
    n_bytes = index.postings.docs.nbytes + index.postings.impacts.nbytes + index.postings.starts.nbytes
    n_bytes += index.postings.bounds.nbytes + index.postings.floors.nbytes + index.absent.nbytes
    return (
        index,
        peer,
        {
            "build_s": found[0],
            "build_x_bm25s": found[1] / found[0],
            "bytes_per_posting_over_8": n_bytes / len(index.postings.docs) / 8,
        },
    )


def search_bm25(terms: Texts, index: bm25.BM25, peer: bm25s.BM25) -> dict[str, float]:
    queries = [[str(t) for t in query] for query in terms.queries]
    figures: dict[str, float] = {}
    for n_threads in (1, 2):

        def ours(n_threads: int = n_threads) -> list[ranking.Ranking]:
            asked = ranking.order_terms(index.postings, index.bags(queries))
            return ranking.compiled(index.postings, asked, K, n_threads=n_threads)

        def theirs(n_threads: int = n_threads) -> object:
            return peer.retrieve(queries, k=K, n_threads=n_threads, show_progress=False)

        own, other = best_of(ours, theirs)
        figures[f"bm25_ms_{n_threads}_threads"] = 1000 * own / len(queries)
        figures[f"bm25_x_bm25s_{n_threads}_threads"] = other / own
    n_few = 5
    slow = BM25Okapi([[str(t) for t in document] for document in terms.documents()])
    slow_s = best_of(lambda: [np.argsort(-slow.get_scores(q))[:K] for q in queries[:n_few]], rounds=1)[0] / n_few
    figures["bm25_x_rank_bm25"] = 1000 * slow_s / figures["bm25_ms_1_threads"]
    return figures


def search_sparse(n_docs: int, n_queries: int) -> dict[str, float]:
    """100 terms a document and 20 a query out of 32,000, frequent ones rather."""
    draw = np.random.default_rng(42)
    n_terms = 32_000
    cumulative = np.cumsum(1 / (np.arange(n_terms) + 200.0) ** 0.8)
    cumulative /= cumulative[-1]

    def rows(n: int, width: int) -> sp.csr_array:
        columns = np.minimum(np.searchsorted(cumulative, draw.random(n * width)), n_terms - 1)
        weights = draw.lognormal(-0.5, 0.7, n * width).astype(np.float32)
        table = sp.csr_array((weights, columns, np.arange(0, n * width + 1, width)), (n, n_terms))
        table.sum_duplicates()
        return table

    documents, queries = rows(n_docs, 100), rows(n_queries, 20)
    by_term = documents.tocsc()
    by_term.sort_indices()
    starts, held = by_term.indptr.astype(np.int64), by_term.indices.astype(np.int32)
    postings = group(starts=starts, docs=held, impacts=by_term.data, n_docs=n_docs)
    spans = [slice(a, b) for a, b in zip(queries.indptr[:-1], queries.indptr[1:], strict=True)]
    asked: Bags = bags((queries.indices[s].tolist(), queries.data[s].tolist()) for s in spans)
    turned = documents.T.tocsr()

    def scipy_search() -> None:
        for row in range(n_queries):
            scores = (queries[[row]] @ turned).toarray().ravel()
            top = np.argpartition(-scores, K)[:K]
            top[np.argsort(-scores[top])]

    own, other = best_of(
        lambda: ranking.compiled(postings, ranking.order_terms(postings, asked), K, n_threads=1), scipy_search, rounds=2
    )
    return {"sparse_ms": 1000 * own / n_queries, "sparse_x_scipy": other / own}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("passages", type=Path, nargs="?", help="BEIR folder; without it, synthetic terms")
    options.add_argument("--analyser", default="words")
    options.add_argument("--documents", type=int, default=100_000)
    options.add_argument("--queries", type=int, default=1_000)
    options.add_argument("--output", type=Path)
    given = options.parse_args()
    if given.passages:
        terms = real(given.passages, given.analyser, given.queries)
    else:
        terms = synthetic(given.documents, given.queries)
    index, peer, figures = build_indexes(terms)
    df = np.diff(index.postings.starts)
    facts = {
        "n_documents": len(terms.starts) - 1,
        "n_queries": len(terms.queries),
        "n_postings": len(index.postings.docs),
        "postings_per_query": float(np.mean([df[query].sum() for query in terms.queries])),
    }
    figures |= search_bm25(terms, index, peer)
    figures |= search_sparse(given.documents, 200)
    machine = {"system": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}
    result = {"facts": facts, "figures": {name: round(value, 3) for name, value in figures.items()}, "machine": machine}
    print(json.dumps(result, indent=2))
    if given.output:
        given.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
