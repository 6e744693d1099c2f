"""Dense vectors that need no model: TF-IDF over an analyser's terms, reduced by truncated SVD.

An offline stand-in for a sentence encoder, good enough to mine with, and stored as arrays so that it can be used again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sparse_mining._files import InputError, check_version, read_json, write_json
from sparse_mining._kiwi import Analysis
from sparse_mining.analysers import analyser
from sparse_mining.arrays import Matrix, load_array, unit_rows
from sparse_mining.terms import Terms, number

N_OVERSAMPLES = 10
N_POWER_ITERATIONS = 4


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What `encoder.json` says of the arrays beside it."""

    format: str = "svd_encoder"
    version: int = 1
    analyser: str
    """As given to `--analyser`."""
    analysis: Analysis
    dimensions: int
    n_documents: int
    seed: int


@dataclass(frozen=True, slots=True)
class SvdEncoder:
    """TF-IDF (sublinear, smooth IDF, unit length) and the directions that explain most of it."""

    header: Header
    vocabulary: dict[str, int]
    idf: NDArray[np.float64]
    """(n_terms)"""
    components: NDArray[np.float32]
    """(dimensions, n_terms): right singular vectors, strongest first."""

    def encode(self, texts: Sequence[str]) -> Matrix:
        """(n, dimensions): vectors of unit length; of length 0 for a text without a known term."""
        found = analyser(self.header.analyser).terms(texts)
        known = [[self.vocabulary[term] for term in terms if term in self.vocabulary] for terms in found]
        starts = np.concatenate([[0], np.cumsum([len(row) for row in known], dtype=np.int64)]).astype(np.int64)
        ids = np.array([term_id for row in known for term_id in row], np.int32)
        weighted = self._weigh(Terms(ids, starts, self.vocabulary).counts())
        return unit_rows(np.asarray(weighted @ self.components.T, np.float32))

    def _weigh(self, counts: sp.csr_array) -> sp.csr_array:
        weighted = counts.astype(np.float64)
        weighted.data = (1 + np.log(weighted.data)) * self.idf[weighted.indices]
        lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        weighted.data /= np.repeat(np.where(lengths > 0, lengths, 1), np.diff(weighted.indptr))
        return weighted

    def save(self, folder: Path) -> None:
        """Writes `encoder.json`, `vocabulary.json` and two arrays into a folder that it makes."""
        folder.mkdir(parents=True)
        write_json(folder / "encoder.json", self.header)
        write_json(folder / "vocabulary.json", list(self.vocabulary))
        np.save(folder / "idf.npy", self.idf)
        np.save(folder / "components.npy", self.components)


def fit(texts: Sequence[str], words: str, *, dimensions: int, seed: int) -> tuple[SvdEncoder, Matrix]:
    """An encoder of these texts, and their vectors; fewer dimensions where texts or terms allow no more."""
    return fit_terms(number(analyser(words).terms(texts)), words, dimensions=dimensions, seed=seed)


def fit_terms(terms: Terms, words: str, *, dimensions: int, seed: int) -> tuple[SvdEncoder, Matrix]:
    """The same over what the analyser of that name has found."""
    counts = terms.counts()
    n_texts, n_terms = counts.shape
    if not n_terms:
        raise InputError(f"analyser {words!r} finds no term in {n_texts} passages: nothing to make vectors of")
    df = np.bincount(counts.indices, minlength=n_terms)
    header = Header(
        analyser=words,
        analysis=analyser(words).identity(),
        dimensions=min(dimensions, n_texts, n_terms),
        n_documents=n_texts,
        seed=seed,
    )
    idf = np.log((1 + n_texts) / (1 + df)) + 1
    bare = SvdEncoder(header, terms.vocabulary, idf, np.empty((0, n_terms), np.float32))
    weighted = bare._weigh(counts)
    with threadpool_limits(1):  # the bytes do not hang on the number of cores, nor the time on who else computes
        components = right_singular_vectors(weighted, header.dimensions, seed=seed).astype(np.float32)
    encoder = SvdEncoder(header, terms.vocabulary, idf, components)
    return encoder, unit_rows(np.asarray(weighted @ components.T, np.float32))


def load(folder: Path) -> SvdEncoder:
    """Reads what `save` wrote; InputError where it was made by another analyser version than the one here."""
    header = read_json(folder / "encoder.json", Header)
    check_version(folder / "encoder.json", header.format, header.version)
    here = analyser(header.analyser).identity()
    if here != header.analysis:
        raise InputError(f"{folder}: made with {header.analysis}, here is {here}: embed the passages again")
    terms = read_json(folder / "vocabulary.json", list[str])
    idf = load_array(folder / "idf.npy")
    components = load_array(folder / "components.npy")
    if idf.shape != (len(terms),) or components.shape != (header.dimensions, len(terms)):
        raise InputError(f"{folder}: arrays and vocabulary differ in size: embed the passages again")
    return SvdEncoder(header, {term: i for i, term in enumerate(terms)}, idf, components.astype(np.float32))


def right_singular_vectors(matrix: sp.csr_array, rank: int, *, seed: int) -> NDArray[np.float64]:
    """(rank, columns): the first right singular vectors, by randomised subspace iteration; each row's largest
    entry is positive, so that the signs are settled.

    Source: Halko, Martinsson and Tropp 2011, arXiv:0909.4061, algorithm 4.4, on the rows' space.
    """
    width = min(rank + N_OVERSAMPLES, *matrix.shape)
    basis = np.random.default_rng(seed).standard_normal((matrix.shape[0], width))
    for _ in range(N_POWER_ITERATIONS):
        basis, _ = np.linalg.qr(matrix @ (matrix.T @ basis))
    _, _, right = np.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    right = right[:rank]
    peaks = right[np.arange(len(right)), np.abs(right).argmax(axis=1)]
    return np.asarray(right * np.sign(peaks)[:, None])
