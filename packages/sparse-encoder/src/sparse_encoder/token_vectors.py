"""Token vectors from co-occurrence: what a lexical start knows of meaning before its first step.

Tokens that stand in the same texts get near vectors (Deerwester et al. 1990); where a text is there in two languages,
both go into one context, so that 검색 and search become neighbours without a dictionary (Dumais et al. 1997). It takes
minutes of a processor where masked language modelling takes hours.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sparse_encoder._files import InputError
from sparse_encoder.vocabulary import Vocabulary

POWER = 0.5
"""Exponent of the singular values: 1 lets the commonest topics rule, 0 lets noise."""
ITERATIONS = 3
"""Power iterations of the randomised factorisation (Halko et al. 2011, arXiv:0909.4061)."""
OVERSAMPLED = 32
BATCH = 4096
"""Contexts tokenised at once."""


def context_matrix(texts: Iterable[str], vocabulary: Vocabulary, *, max_tokens: int) -> sparse.csr_matrix:
    """(contexts, vocab): 1 + ln tf of each context's first `max_tokens` tokens; special tokens are left out."""
    rows: list[NDArray[np.int64]] = []
    tokens: list[NDArray[np.int64]] = []
    n_contexts = 0
    for batch in _batches(texts):
        for ids in vocabulary.encode(batch, max_tokens=max_tokens, special=False):
            rows.append(np.full(len(ids), n_contexts))
            tokens.append(np.asarray(ids, dtype=np.int64))
            n_contexts += 1
    shape = (n_contexts, len(vocabulary.tokens))
    flat = (np.concatenate(rows), np.concatenate(tokens))
    counts = sparse.coo_matrix((np.ones(len(flat[0]), dtype=np.float32), flat), shape=shape).tocsr()
    counts.data = 1 + np.log(counts.data)
    return counts @ sparse.diags(_is_text(vocabulary))


def token_vectors(matrices: Sequence[sparse.csr_matrix], *, width: int, seed: int) -> NDArray[np.float32]:
    """(vocab, width) unit vectors, or zeros for a token in no context.

    matrices: contexts of one kind each, as `context_matrix` makes them. Tokens weigh by their IDF in their kind, and
    every context is of length 1, so that a long text says no more than a pair of headings.
    """
    weighed = sparse.vstack([_weighed(matrix) for matrix in matrices]).tocsr()
    left, singular = _factors(weighed.T.tocsr(), width=width, seed=seed)
    vectors = left * singular**POWER
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 1e-6)
    return unit.astype(np.float32, copy=False)


def _is_text(vocabulary: Vocabulary) -> NDArray[np.float32]:
    keep = np.ones(len(vocabulary.tokens), dtype=np.float32)
    keep[list(vocabulary.special_ids)] = 0
    return keep


def _weighed(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    n_contexts = counts.shape[0]
    df = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log1p(n_contexts / np.maximum(df, 1)).astype(np.float32)
    weighed = counts @ sparse.diags(idf)
    norms = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1)).ravel())
    return sparse.diags(1 / np.maximum(norms, 1e-6)) @ weighed


def _factors(matrix: sparse.csr_matrix, *, width: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The leading left singular vectors (rows, width) and values, the same for the same seed."""
    random = np.random.default_rng(seed)
    transposed = matrix.T.tocsr()
    basis = random.standard_normal((matrix.shape[1], width + OVERSAMPLED)).astype(np.float32)
    found, _ = np.linalg.qr(matrix @ basis)
    for _ in range(ITERATIONS):
        other, _ = np.linalg.qr(transposed @ found)
        found, _ = np.linalg.qr(matrix @ other)
    small = (transposed @ found).T
    left, singular, _ = np.linalg.svd(small, full_matrices=False)
    return (found @ left)[:, :width], singular[:width]


def _batches(texts: Iterable[str]) -> Iterable[list[str]]:
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def read_token_vectors(path: Path) -> NDArray[np.float32]:
    """The (vocab, width) vectors of a `.npy`; InputError where it is none or holds no finite numbers."""
    try:
        vectors: NDArray[np.float32] = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; make it with: sparse-encoder tokenizer vectors") from error
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: is not a whole .npy file: {error}") from error
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise InputError(f"{path}: holds shape {vectors.shape}; wanted finite numbers, one row a token")
    return vectors.astype(np.float32, copy=False)
