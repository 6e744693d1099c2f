"""BM25, ours against rank_bm25 and bm25s (numba backend), in one process: index build and top-100.

Run: `python benchmarks/bench_bm25.py [PASSAGES --analyser bigrams] [--check | --record]`. Terms are synthetic unless a
BEIR folder is given; figures are recorded under the folder's name and the analyser's.
"""

import argparse
from pathlib import Path

import bm25s
import numpy as np
from bm25s.tokenization import Tokenized
from corpus import Texts, real, synthetic
from figures import add_options, in_turns, settle
from rank_bm25 import BM25Okapi
from sparse_mining import bm25, ranking
from sparse_mining.settings import Settings
from sparse_mining.terms import Terms

K = 100
N_SLOW = 5
"""Queries that rank_bm25 is asked."""
RATIOS = (
    "build_x_bm25s",
    "x_bm25s_1_threads",
    "x_bm25s_2_threads",
    "x_rank_bm25",
    "eight_bytes_over_bytes_per_posting",
)


def build(texts: Texts, rounds: int) -> tuple[bm25.BM25, bm25s.BM25, dict[str, float]]:
    """Both indexes, tokens given, and what they cost."""
    vocabulary = {str(i): i for i in range(texts.n_terms)}
    corpus = Tokenized(ids=texts.documents(), vocab=vocabulary)
    peer = bm25s.BM25(method="lucene", k1=1.2, b=0.75, backend="numba")
    ours: list[bm25.BM25] = []
    terms = Terms(texts.ids, texts.starts, vocabulary)
    forms = {
        "ours": lambda: ours.append(bm25.build_from_terms(terms, Settings())),
        "bm25s": lambda: peer.index(corpus, show_progress=False),
    }
    own, other = (taken["cpu_seconds"] for taken in in_turns(forms, rounds=rounds).values())
    index = ours[-1]
    postings = index.postings
    arrays = (postings.docs, postings.impacts, postings.starts, postings.bounds, postings.floors, index.absent)
    share = 8 * len(postings.docs) / sum(array.nbytes for array in arrays)
    return index, peer, {"build_s": own, "build_x_bm25s": other / own, "eight_bytes_over_bytes_per_posting": share}


def search(texts: Texts, index: bm25.BM25, peer: bm25s.BM25, rounds: int) -> dict[str, float]:
    """Milliseconds a query and how many times the peer's; bags and strings are made outside of the time of neither.

    One thread by processor time, two by the wall's.
    """
    queries = [[str(t) for t in query] for query in texts.queries]
    figures: dict[str, float] = {}
    for n_threads in (1, 2):

        def ours(n_threads: int = n_threads) -> list[ranking.Ranking]:
            asked = ranking.order_terms(index.postings, index.bags(queries))
            return ranking.compiled(index.postings, asked, K, n_threads=n_threads)

        def theirs(n_threads: int = n_threads) -> object:
            return peer.retrieve(queries, k=K, n_threads=n_threads, show_progress=False)

        clock = "cpu_seconds" if n_threads == 1 else "seconds"
        own, other = (taken[clock] for taken in in_turns({"ours": ours, "bm25s": theirs}, rounds=rounds).values())
        figures[f"ms_{n_threads}_threads"] = 1000 * own / len(queries)
        figures[f"x_bm25s_{n_threads}_threads"] = other / own
    return figures


def search_slowly(texts: Texts) -> float:
    """Milliseconds a query of rank_bm25."""
    model = BM25Okapi([[str(t) for t in document] for document in texts.documents()])
    queries = [[str(t) for t in query] for query in texts.queries[:N_SLOW]]
    taken = in_turns({"rank_bm25": lambda: [np.argsort(-model.get_scores(q))[:K] for q in queries]}, rounds=1)
    return 1000 * taken["rank_bm25"]["cpu_seconds"] / N_SLOW


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("passages", type=Path, nargs="?", help="BEIR folder; without it, synthetic terms")
    parser.add_argument("--analyser", default="words")
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    add_options(parser)
    given = parser.parse_args()
    if given.passages:
        texts = real(given.passages, given.analyser, given.queries)
        name = f"bm25 {given.passages.name} {given.analyser}"
    else:
        texts, name = synthetic(given.documents, given.queries), f"bm25 {given.documents}"
    index, peer, figures = build(texts, 1)
    df = np.diff(index.postings.starts)
    figures |= {"n_documents": float(len(texts.starts) - 1), "n_postings": float(len(index.postings.docs))}
    figures["postings_per_query"] = float(np.mean([df[query].sum() for query in texts.queries]))
    figures |= search(texts, index, peer, given.rounds)
    figures["x_rank_bm25"] = search_slowly(texts) / figures["ms_1_threads"]
    settle(name, figures, ratios=RATIOS, options=given)


if __name__ == "__main__":
    main()
