"""Miners: where candidates for hard negatives come from, every searcher and the clusters, behind one interface.

A searcher looks around the query; clusters look around the positive. `mining` takes from both alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from sparse_mining import svd
from sparse_mining._files import InputError
from sparse_mining.bounds import Window
from sparse_mining.clusters import Assignment, choose, read_clusters
from sparse_mining.pairs import Pair
from sparse_mining.passages import Collection, Query
from sparse_mining.postings import Ints
from sparse_mining.searchers import Asked, Choices, Searcher, searcher
from sparse_mining.splits import stable_hash
from sparse_mining.terms import Analyses

CLUSTERS = "clusters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one miner sees for one pair, in the order in which negatives are to be taken."""

    rows: Sequence[int]
    ranks: Sequence[int]
    """From 1, in the miner's whole list."""
    scores: Sequence[float]
    """Of the miner itself, told in the audit."""
    query_scores: Sequence[float]
    """Of a searcher for the query, which bounds and grades go by."""
    own: float
    """The positive's, of that searcher."""
    top: float
    """That searcher's highest."""
    found: Sequence[float]
    """Scores of what it ranks for the query, best first; none where it does not rank."""
    near: Ints
    """Rows too near for an easy negative."""


class Batch:
    """Pairs mined together; each searcher analyses their queries once."""

    def __init__(self, pairs: Sequence[Pair], positives: Sequence[int]) -> None:
        self.pairs = pairs
        self.positives = positives
        """The row of each pair's passage."""
        self._asked: dict[str, Asked] = {}

    def ask(self, found: Searcher) -> Asked:
        """The queries as a searcher analyses or encodes them."""
        if found.name not in self._asked:
            self._asked[found.name] = found.ask([Query(id=pair.query_id, text=pair.query) for pair in self.pairs])
        return self._asked[found.name]

    def own_scores(self, found: Searcher) -> list[float]:
        """A searcher's score of each pair's own passage."""
        scores = self.ask(found).scores_of([np.array([row], np.int32) for row in self.positives])
        return [float(score[0]) for score in scores]


class Miner(Protocol):
    """A source of candidates, under the name that provenance carries."""

    @property
    def name(self) -> str: ...

    def facts(self) -> Mapping[str, object]:
        """What it was made with, for metadata; the same from run to run."""
        ...

    def look(self, batch: Batch, window: Window) -> list[Look]:
        """What it sees for each pair."""
        ...


@dataclass(frozen=True, slots=True)
class QueryMiner:
    """What a searcher finds for the query, best first."""

    searcher: Searcher

    @property
    def name(self) -> str:
        return self.searcher.name

    def facts(self) -> Mapping[str, object]:
        return self.searcher.facts()

    def look(self, batch: Batch, window: Window) -> list[Look]:
        rankings = batch.ask(self.searcher).best(window.last)
        looks = []
        for ranking, own in zip(rankings, batch.own_scores(self.searcher), strict=True):
            rows = ranking.docs[window.first - 1 : window.last].tolist()
            scores = ranking.scores[window.first - 1 : window.last].tolist()
            looks.append(
                Look(
                    rows=rows,
                    ranks=range(window.first, window.first + len(rows)),
                    scores=scores,
                    query_scores=scores,
                    own=own,
                    top=float(ranking.scores[:1].sum()),
                    found=ranking.scores.tolist(),
                    near=ranking.docs,
                )
            )
        return looks


@dataclass(frozen=True, slots=True)
class ClusterMiner:
    """Documents of the positive's k-means cluster, drawn at random, those nearest the centroid first.

    Drawn, because the cluster is the same for all of its queries: they would all get the same few.
    """

    members: Sequence[Ints]
    """Rows of each cluster, nearest the centroid first."""
    assignment: Assignment
    judge: Searcher
    """Scores what is drawn for the query."""
    seed: int
    name: str = CLUSTERS

    def facts(self) -> Mapping[str, object]:
        return {"name": self.name, "n_clusters": self.assignment.n_clusters, "judged_by": self.judge.name}

    def look(self, batch: Batch, window: Window) -> list[Look]:
        own = batch.own_scores(self.judge)
        drawn = [self._draw(pair, row, window) for pair, row in zip(batch.pairs, batch.positives, strict=True)]
        scores = batch.ask(self.judge).scores_of([rows for rows, _ in drawn])
        looks = []
        for i, (rows, ranks) in enumerate(drawn):
            looks.append(
                Look(
                    rows=rows.tolist(),
                    ranks=ranks.tolist(),
                    scores=centrality(self.assignment.distances[rows]).tolist(),
                    query_scores=scores[i].tolist(),
                    own=own[i],
                    top=float(scores[i].max(initial=0.0)),
                    found=(),
                    near=self.members[self.assignment.labels[batch.positives[i]]],
                )
            )
        return looks

    def _draw(self, pair: Pair, positive: int, window: Window) -> tuple[Ints, NDArray[np.int64]]:
        """Rows and ranks of as many members as the window has ranks, its first ones left out."""
        members = self.members[self.assignment.labels[positive]]
        draw = np.random.default_rng(list(stable_hash(self.seed, f"{self.name}\0{pair.query_id}\0{pair.doc_id}")[:16]))
        n_left = max(0, len(members) - window.first + 1)
        chosen = draw.choice(n_left, size=min(n_left, window.last - window.first + 1), replace=False)
        at = np.sort(chosen) + window.first - 1
        return members[at], at + 1


def centrality(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances to a centroid as scores, 1 at the centroid and 0 at 2, the furthest that unit vectors can lie.

    >>> centrality(np.array([0.0, 0.5, 2.0])).tolist()
    [1.0, 0.75, 0.0]
    """
    return np.asarray(1 - distances / 2, np.float64)


class Share(NamedTuple):
    """A miner as the command line names it, and its hard negatives per query."""

    name: str
    """Its kind, or the whole spec where a kind comes twice."""
    spec: str
    quota: int


def shares(text: str, n_hard: int) -> list[Share]:
    """Miners named with commas, `NAME=N` for a quota; what is left of `n_hard` is shared equally, the first ones first.

    A miner that is to give nothing is left out, but for the first one, which scores positives.

    >>> [(s.name, s.spec, s.quota) for s in shares("bm25:words=5,dense", 7)]
    [('bm25', 'bm25:words', 5), ('dense', 'dense', 2)]
    """
    stated: dict[str, int | None] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        spec, equals, number = part.partition("=")
        if spec in stated or (equals and not number.isdecimal()):
            raise InputError(f"--miners: {part!r} is no NAME or NAME=NUMBER, or is there twice")
        stated[spec] = int(number) if equals else None
    left = n_hard - sum(number for number in stated.values() if number is not None)
    free = [spec for spec, number in stated.items() if number is None]
    if left < 0 or (left and not free):
        raise InputError(f"--miners: the quotas of {text!r} do not add up to --hard {n_hard}")
    equal = {spec: left // len(free) + (i < left % len(free)) for i, spec in enumerate(free)}
    kinds = [spec.partition(":")[0] for spec in stated]
    found = [
        Share(kind if kinds.count(kind) == 1 else spec, spec, equal[spec] if number is None else number)
        for kind, (spec, number) in zip(kinds, stated.items(), strict=True)
    ]
    return [share for place, share in enumerate(found) if share.quota or place == 0]


def miners(wanted: Sequence[Share], collection: Collection, choices: Choices) -> tuple[Searcher, list[Miner]]:
    """The miners of these shares, and before them the searcher of the first one, which judges what clusters hold.

    InputError where the first one is none that searches, or one cannot be made.
    """
    if not wanted or _kind(wanted[0]) == CLUSTERS:
        raise InputError("--miners: the first one scores positives and easy negatives: wanted bm25, dense or sparse")
    analyses = Analyses(collection)
    searched = [share for share in wanted if _kind(share) != CLUSTERS]
    found = {share.name: searcher(share.spec, analyses, choices, name=share.name) for share in searched}
    scorer = found[wanted[0].name]
    made: list[Miner] = []
    for share in wanted:
        if share.name in found:
            made.append(QueryMiner(found[share.name]))
        else:
            assignment = _assignment(share, analyses, choices)
            made.append(ClusterMiner(members(assignment), assignment, scorer, choices.seed, share.name))
    return scorer, made


def members(assignment: Assignment) -> list[Ints]:
    """The rows of each cluster, nearest the centroid first, ties by row."""
    rows = np.arange(len(assignment.labels))
    order = np.lexsort((rows, assignment.distances, assignment.labels)).astype(np.int32)
    ends = np.cumsum(np.bincount(assignment.labels, minlength=assignment.n_clusters))
    return np.split(order, ends[:-1])


def _assignment(share: Share, analyses: Analyses, choices: Choices) -> Assignment:
    folder = share.spec.partition(":")[2]
    source = Path(folder) if folder else choices.embeddings
    if source is not None:
        return read_clusters(source / "clusters.json", analyses.collection)
    _, vectors = svd.fit_terms(analyses.terms("kiwi"), "kiwi", dimensions=choices.dimensions, seed=choices.seed)
    return choose(vectors, seed=choices.seed)[0]


def _kind(share: Share) -> str:
    return share.spec.partition(":")[0]
