"""A FAISS index of dense vectors: exact while that is quick, approximate for many, with its recall measured.

What an approximate search loses is not guessed: a sample of queries is searched exactly as well.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sparse_mining import dense
from sparse_mining._files import InputError, whole
from sparse_mining.arrays import BLOCK, Matrix
from sparse_mining.ranking import Ranking

if TYPE_CHECKING:
    import faiss

Kind = Literal["flat", "hnsw", "ivf"]
KindOrAuto = Literal["auto", "flat", "hnsw", "ivf"]

HNSW_FROM, IVF_FROM = 100_000, 500_000
"""Vectors from which a graph pays, and from which building one takes too long."""
HNSW_NEIGHBOURS = 32
TRAINING_PER_LIST = 64
"""Vectors that each list's centroid is trained on."""
N_SAMPLE, RECALL_AT = 200, 10
ENOUGH = 0.95
"""Recall up to which a search is made to look further, by doubling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An index and how it came out."""

    index: "faiss.Index"
    kind: Kind
    recall_at_10: float
    """Share of the exact ten best that it finds, over the sample; 1 where it is exact."""
    n_sample: int
    effort: int
    """Lists probed (ivf) or candidates kept (hnsw) in a search; 0 where exact."""


def kind_for(n_vectors: int) -> Kind:
    """The kind that suits so many vectors.

    >>> kind_for(1_000), kind_for(200_000), kind_for(2_000_000)
    ('flat', 'hnsw', 'ivf')
    """
    return "flat" if n_vectors < HNSW_FROM else "hnsw" if n_vectors < IVF_FROM else "ivf"


def build(vectors: Matrix, kind: KindOrAuto = "auto", *, queries: Matrix, seed: int) -> Built:
    """An inner-product index over the rows; recall is measured with a sample of `queries`, else of rows.

    One thread builds a graph, since several would make another one each time.
    """
    if kind not in get_args(KindOrAuto):
        raise InputError(f"index kind {kind!r} is not known: wanted one of {get_args(KindOrAuto)}")
    chosen = kind_for(len(vectors)) if kind == "auto" else kind
    index = _filled(vectors, chosen)
    if chosen == "flat":
        return Built(index=index, kind=chosen, recall_at_10=1.0, n_sample=0, effort=0)
    asked = queries if len(queries) else vectors
    rows = np.sort(np.random.default_rng(seed).permutation(len(asked))[:N_SAMPLE])
    sample = np.ascontiguousarray(asked[rows], np.float32)
    exact = [set(ranking.docs.tolist()) for ranking in dense.search(vectors, sample, RECALL_AT)]
    effort, most = (64, 1024) if chosen == "hnsw" else (8, _n_lists(len(vectors)))
    while True:
        _set_effort(index, chosen, effort)
        recall = _recall(index, sample, exact)
        if recall >= ENOUGH or effort >= most:
            break
        effort = min(2 * effort, most)
    return Built(index=index, kind=chosen, recall_at_10=round(recall, 4), n_sample=len(sample), effort=effort)


def write(built: Built, path: Path) -> None:
    """Writes the index, whole or not at all."""
    import faiss

    with whole(path) as part:
        faiss.write_index(built.index, str(part))


def read(path: Path, *, shape: tuple[int, int]) -> "faiss.Index":
    """Reads an index; InputError unless it is one of so many vectors of so many dimensions."""
    import faiss

    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        index = faiss.read_index(str(path))
    except RuntimeError as error:
        raise InputError(f"{path}: is not a whole FAISS index: {str(error).splitlines()[-1]}") from error
    if (index.ntotal, index.d) != shape:
        raise InputError(
            f"{path}: holds {index.ntotal} vectors of {index.d} dimensions, wanted {shape[0]} of {shape[1]}: "
            "embed the passages again"
        )
    return index


def search(index: "faiss.Index", queries: Matrix, k: int) -> list[Ranking]:
    """The k best that the index finds for each query, best first, ties by row."""
    scores, rows = index.search(np.ascontiguousarray(queries, np.float32), min(k, index.ntotal))
    return [_ranking(found[found >= 0], own[found >= 0]) for found, own in zip(rows, scores, strict=True)]


def _ranking(rows: NDArray[np.int64], scores: NDArray[np.float32]) -> Ranking:
    order = np.lexsort((rows, -scores))
    return Ranking(rows[order].astype(np.int32), scores[order].astype(np.float64))


def _filled(vectors: Matrix, kind: Kind) -> "faiss.Index":
    import faiss

    n_lists = _n_lists(len(vectors))
    kinds: dict[Kind, str] = {"flat": "Flat", "hnsw": f"HNSW{HNSW_NEIGHBOURS},Flat", "ivf": f"IVF{n_lists},Flat"}
    index = faiss.index_factory(vectors.shape[1], kinds[kind], faiss.METRIC_INNER_PRODUCT)
    if kind == "ivf":
        step = max(1, len(vectors) // (n_lists * TRAINING_PER_LIST))
        index.train(np.ascontiguousarray(vectors[::step], np.float32))
    n_threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1 if kind == "hnsw" else n_threads)
    for first in range(0, len(vectors), BLOCK):
        index.add(np.ascontiguousarray(vectors[first : first + BLOCK], np.float32))
    faiss.omp_set_num_threads(n_threads)
    return index


def _n_lists(n_vectors: int) -> int:
    return max(1, min(int(4 * np.sqrt(n_vectors)), n_vectors // TRAINING_PER_LIST))


def _set_effort(index: "faiss.Index", kind: Kind, effort: int) -> None:
    import faiss

    faiss.ParameterSpace().set_index_parameter(index, "efSearch" if kind == "hnsw" else "nprobe", effort)


def _recall(index: "faiss.Index", sample: Matrix, exact: list[set[int]]) -> float:
    _, rows = index.search(sample, len(exact[0]))
    found = [len(wanted & set(own)) / len(wanted) for wanted, own in zip(exact, rows.tolist(), strict=True)]
    return float(np.mean(found))
