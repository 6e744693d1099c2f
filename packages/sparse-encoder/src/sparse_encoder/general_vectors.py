"""Token vectors that know general Korean besides a corpus: kiwi's morphemes lend their meaning to rare tokens.

What a corpus says of a token counts the more, the more texts have it: 서버 means what the documentation says, 냉동실
what everybody does. Tokens without Hangul, English above all, keep the corpus' vectors and so their Korean neighbours.
"""

import numpy as np
from numpy.typing import NDArray

from sparse_encoder.general_korean import meanings, ranks
from sparse_encoder.token_morphemes import TokenMorphemes
from sparse_encoder.vocabulary import Vocabulary

MOST_OF_CORPUS = 0.7
"""The corpus' share in a token that is in all texts; the rest is general."""
HALF_KNOWN = 100
"""Texts with a token from which the corpus has half of that share."""
SCATTERED = 0.2
"""Length of a mean of unit vectors below which a token's morphemes have nothing in common."""


def general_vectors(table: TokenMorphemes, vocabulary: Vocabulary) -> NDArray[np.float32]:
    """(vocab, 256): of each token the unit vector of its morphemes in general Korean; zeros where there is none."""
    places, vectors = ranks(), meanings()
    found = np.zeros((len(vocabulary.tokens), vectors.shape[1]), dtype=np.float32)
    for token, stands_for in table.tokens.items():
        for name, share in stands_for.morphemes.items():
            form, _, tag = name.rpartition("/")
            if (form, tag) in places:
                found[vocabulary.ids[token]] += share * vectors[places[form, tag] - 1]
    return _unit(found, shortest=SCATTERED)


def joined(
    corpus: NDArray[np.float32], general: NDArray[np.float32], n_texts: NDArray[np.int64], *, width: int
) -> NDArray[np.float32]:
    """(vocab, width): unit vectors whose products are, as nearly as the width allows, those of both, weighed by token.

    corpus, general: (vocab, any) unit vectors, zeros where nothing is known. n_texts: (vocab) texts with each token.
    """
    of_corpus = MOST_OF_CORPUS * n_texts / (n_texts + HALF_KNOWN)
    of_corpus = np.where(general.any(axis=1), of_corpus, 1.0)
    of_corpus = np.where(corpus.any(axis=1), of_corpus, 0.0)[:, None]
    both = np.concatenate([np.sqrt(of_corpus) * corpus, np.sqrt(1 - of_corpus) * general], axis=1)
    _, directions = np.linalg.eigh(both.T @ both)
    return _unit((both @ directions[:, ::-1][:, :width]).astype(np.float32), shortest=1e-6)


def _unit(vectors: NDArray[np.float32], *, shortest: float) -> NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > shortest)
    return unit
