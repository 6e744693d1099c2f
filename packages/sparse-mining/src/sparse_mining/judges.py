"""Judges: a teacher's scores, above which a candidate is taken for an answer and not for a negative.

The strongest filter of false negatives, and the dearest: only candidates that every other filter passes get here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from sparse_mining._files import InputError
from sparse_mining.groups import read_groups
from sparse_mining.pairs import Pair, normal
from sparse_mining.passages import Collection
from sparse_mining.teachers import Teacher, teacher

KINDS = ("cross", "bi")


class Pool(NamedTuple):
    """Candidates of one pair."""

    pair: Pair
    rows: Sequence[int]


class Judge(Protocol):
    """Scores candidates as a teacher would."""

    def scores(self, pools: Sequence[Pool]) -> list[Mapping[int, float]]:
        """The score of each row that has one, by pool."""
        ...


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores that `sparse-mining score` wrote: by query text and document, none for what was not scored."""

    known: Mapping[tuple[str, int], float]

    def scores(self, pools: Sequence[Pool]) -> list[Mapping[int, float]]:
        found: list[Mapping[int, float]] = []
        for pair, rows in pools:
            text = normal(pair.query)
            found.append({row: self.known[text, row] for row in rows if (text, row) in self.known})
        return found


@dataclass(frozen=True, slots=True)
class Scoring:
    """A teacher that is asked."""

    teacher: Teacher
    docs: Sequence[str]
    """By row, as groups hold them."""

    def scores(self, pools: Sequence[Pool]) -> list[Mapping[int, float]]:
        queries = [pool.pair.query for pool in pools for _ in pool.rows]
        rows = [row for pool in pools for row in pool.rows]
        if not rows:
            return [{} for _ in pools]
        scores = self.teacher.scores(queries, [self.docs[row] for row in rows])
        if not np.isfinite(scores).all():
            bad = int(np.flatnonzero(~np.isfinite(scores))[0])
            raise InputError(f"--judge: no finite score for query {queries[bad]!r} and a passage of it")
        ends = np.cumsum([len(pool.rows) for pool in pools])
        split = np.split(scores, ends[:-1])
        return [dict(zip(pool.rows, part.tolist(), strict=True)) for pool, part in zip(pools, split, strict=True)]


def judge(spec: str, collection: Collection, *, titles: bool, batch_size: int = 32) -> Judge:
    """The judge of `cross:MODEL`, `bi:MODEL` or of a file of groups with a teacher's scores.

    `titles` says whether a teacher reads passages with their titles, as the groups will hold them. InputError where
    the file scores none of these passages.
    """
    if spec.partition(":")[0] in KINDS:
        docs = collection.full_texts() if titles else [passage.text for passage in collection.passages]
        return Scoring(teacher(spec, batch_size=batch_size), docs)
    known: dict[tuple[str, int], float] = {}
    for group in read_groups(Path(spec)):
        text = normal(group.query)
        for doc_id, score in zip(group.d_ids, group.scores, strict=True):
            if doc_id in collection.rows:
                known[text, collection.rows[doc_id]] = score
    if not known:
        raise InputError(f"--judge {spec}: scores no passage of {collection.path}")
    return Scored(known)


def judge_file(spec: str) -> list[Path]:
    """The file that a judge is read from, if it is one.

    >>> judge_file("cross:model"), judge_file("scored.jsonl")[0].name
    ([], 'scored.jsonl')
    """
    return [Path(spec)] if spec and spec.partition(":")[0] not in KINDS else []
