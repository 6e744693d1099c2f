"""What kiwi's language model knows of general Korean: which morphemes are common, and which of them mean alike.

A corpus of one field says little of everyday words. kiwi, which the vocabulary is made with anyway, carries a model of
70,000 morphemes of all kinds of text (CoNg, kiwipiepy 0.21); nothing of it is needed once the model is trained.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from kiwipiepy import Kiwi
from numpy.typing import NDArray

SHARE_OF_FIRST = 0.1
"""Of all morphemes, about those that are the commonest; the r-th commonest is this over r (Zipf 1949)."""
IN_A_PASSAGE = 150
"""Morphemes of a passage of 400 characters, about."""
LANDMARKS = 320
"""Morphemes whose likeness to all others is asked for: more than the model's 256 dimensions, so nothing is lost."""
SMALLEST = 1e-3
"""Eigenvalues below this share of the second are noise: the dimensions have come to an end."""
COMMON = 40_000
"""Morphemes that the directions shared by all are found among: rare ones have hardly any others."""
SHARED = 3
"""Directions taken out: that most morphemes share them says how common they are, not what they mean."""
_ALL = 10_000_000


class Known(NamedTuple):
    """A morpheme of the model; `tag` may carry `-R` or `-I`, as kiwi tells regular verbs from others."""

    form: str
    tag: str

    @property
    def key(self) -> tuple[str, str]:
        """Form and Sejong tag, as an analysis gives them."""
        return self.form, self.tag.partition("-")[0]


@cache
def known() -> tuple[Known, ...]:
    """Every morpheme of the model, the commonest first."""
    kiwi = language_model()
    n_known = len(kiwi.most_similar_morphemes(0, top_n=_ALL))
    found = [kiwi.morpheme(i) for i in range(n_known)]
    return tuple(Known(m.form, m.tag) for m in found)


@cache
def ranks() -> dict[tuple[str, str], int]:
    """(form, tag) to its place among the commonest, from 1; the first sense counts.

    >>> ranks()["검색", "NNG"] < ranks()["냉동실", "NNG"]
    True
    """
    places: dict[tuple[str, str], int] = {}
    for place, morpheme in enumerate(known(), start=1):
        places.setdefault(morpheme.key, place)
    return places


def general_idf(rank: int) -> float:
    """How telling the morpheme of that rank is in passages of general Korean, as ln(1 + passages without / with).

    >>> round(general_idf(100), 2), round(general_idf(10_000), 2)
    (2.04, 6.5)
    """
    return math.log1p(rank / (SHARE_OF_FIRST * IN_A_PASSAGE))


@cache
def meanings() -> NDArray[np.float32]:
    """(known, 256): unit vectors of the morphemes in the order of `known`; near ones mean alike.

    kiwi tells cosines and no vectors. The cosines of all morphemes to a few hundred landmarks give the vectors back, up
    to a rotation (Williams and Seeger 2001, Nyström). Mean and main directions are taken out (Mu and Viswanath 2018).
    """
    n_known = len(known())
    chosen = np.linspace(n_known // 70, min(COMMON, n_known) - 1, LANDMARKS).astype(int)
    kiwi, cosines = language_model(), np.zeros((n_known, LANDMARKS), dtype=np.float32)
    for column, landmark in enumerate(chosen.tolist()):
        for other in kiwi.most_similar_morphemes(landmark, top_n=_ALL):
            cosines[other.id, column] = other.score
        cosines[landmark, column] = 1.0
    return told_apart(recovered(cosines, chosen))


def recovered(cosines: NDArray[np.float32], landmarks: NDArray[np.int64]) -> NDArray[np.float32]:
    """(n, dimensions) vectors with these cosines, up to a rotation.

    cosines: (n, n_landmarks) of n unit vectors to those in the rows `landmarks`, more of them than dimensions.
    """
    among = cosines[landmarks]
    values, directions = np.linalg.eigh((among + among.T) / 2)
    kept = values > SMALLEST * values[-2]
    vectors: NDArray[np.float32] = cosines @ (directions[:, kept] / np.sqrt(values[kept]))
    return vectors


def told_apart(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, dimensions) unit vectors without what nearly all of them share."""
    centred = vectors - vectors[:COMMON].mean(axis=0)
    _, _, main = np.linalg.svd(centred[:COMMON], full_matrices=False)
    centred -= centred @ main[:SHARED].T @ main[:SHARED]
    unit: NDArray[np.float32] = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
    return unit.astype(np.float32, copy=False)


@cache
def language_model() -> Kiwi:
    """kiwi with its model of morphemes, loaded once: a second and a hundred megabytes."""
    return Kiwi(model_type="cong")
