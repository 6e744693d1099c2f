"""Teachers: scores of cross-encoders or bi-encoders for every document of a group, several of them as one.

The ensemble is OpenSearch's own trainer's: each teacher's scores to 0..1 within a query, the mean, times a scale.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from sparse_mining._files import InputError
from sparse_mining.groups import ORDER, Group
from sparse_mining.sentence_models import prefixes_of, sentence_transformers


class Teacher(Protocol):
    """Judges how well documents answer queries."""

    def scores(self, queries: Sequence[str], docs: Sequence[str]) -> NDArray[np.float64]:
        """(n): one score a pair of query and document; higher is better."""
        ...


class CrossEncoder:
    """A sentence-transformers model that reads query and document together."""

    def __init__(self, path: str, *, batch_size: int) -> None:
        self._model = sentence_transformers().CrossEncoder(path)
        self._batch_size = batch_size

    def scores(self, queries: Sequence[str], docs: Sequence[str]) -> NDArray[np.float64]:
        pairs = list(zip(queries, docs, strict=True))
        found = self._model.predict(pairs, batch_size=self._batch_size, show_progress_bar=False)
        return np.asarray(found, np.float64)


class BiEncoder:
    """A sentence-transformers model whose vectors' inner product is the score."""

    def __init__(self, path: str, *, batch_size: int) -> None:
        self._model = sentence_transformers().SentenceTransformer(path)
        self._prefixes = prefixes_of(path)
        self._batch_size = batch_size

    def scores(self, queries: Sequence[str], docs: Sequence[str]) -> NDArray[np.float64]:
        left, right = (
            self._encode([prefix + text for text in texts])
            for prefix, texts in zip(self._prefixes, (queries, docs), strict=True)
        )
        return np.asarray((left * right).sum(axis=1), np.float64)

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        distinct = list(dict.fromkeys(texts))
        found = self._model.encode(distinct, batch_size=self._batch_size, show_progress_bar=False)
        rows = {text: row for row, text in enumerate(distinct)}
        return np.asarray(np.asarray(found)[[rows[text] for text in texts]], np.float32)


def teacher(spec: str, *, batch_size: int) -> Teacher:
    """The teacher of `cross:MODEL` or `bi:MODEL`; InputError for any other."""
    kind, _, path = spec.partition(":")
    if kind == "cross" and path:
        return CrossEncoder(path, batch_size=batch_size)
    if kind == "bi" and path:
        return BiEncoder(path, batch_size=batch_size)
    raise InputError(f"teacher {spec!r} is not known: wanted cross:MODEL or bi:MODEL")


def rescore(groups: Sequence[Group], teachers: Sequence[Teacher], *, scale: float) -> Iterator[Group]:
    """Yields each group with the teachers' scores for its own, best-first within positives and within negatives.

    One teacher's scores stay raw where `scale` is 0; several are an ensemble. InputError where one is not finite.
    """
    queries = [group.query for group in groups for _ in group.docs]
    docs = [doc for group in groups for doc in group.docs]
    found = [judge.scores(queries, docs) for judge in teachers]
    first = 0
    for group in groups:
        own = [scores[first : first + len(group.docs)] for scores in found]
        first += len(group.docs)
        if not all(np.isfinite(scores).all() for scores in own):
            raise InputError(f"group {group.q_id!r}: a teacher gives a score that is not a finite number")
        yield _ordered(group, own[0] if not scale and len(own) == 1 else ensemble(own, scale or 1.0))


def ensemble(scores: Sequence[NDArray[np.float64]], scale: float) -> NDArray[np.float64]:
    """(n_docs): min-max of each teacher's scores for one query, their mean, times `scale`; 0 where all are equal.

    Source: opensearch-sparse-model-tuning-sample, kd_ensemble_teacher_kwargs, whose score_scale is 30.

    >>> ensemble([np.array([3.0, 1.0, 2.0]), np.array([0.9, 0.1, 0.9])], 30).tolist()
    [30.0, 0.0, 22.5]
    """
    scaled = [(s - s.min()) / (s.max() - s.min()) if s.max() > s.min() else np.zeros(len(s)) for s in scores]
    return np.asarray(np.mean(scaled, axis=0) * scale, np.float64)


def _ordered(group: Group, scores: NDArray[np.float64]) -> Group:
    """Positives stay first, which trainers rely on; after them whatever scores higher."""
    order = sorted(range(len(scores)), key=lambda i: (ORDER[group.labels[i]] > 0, -scores[i], i))
    return msgspec.structs.replace(
        group,
        docs=tuple(group.docs[i] for i in order),
        scores=tuple(round(float(scores[i]), 6) for i in order),
        d_ids=tuple(group.d_ids[i] for i in order),
        labels=tuple(group.labels[i] for i in order),
        sources=tuple(group.sources[i] for i in order),
    )
