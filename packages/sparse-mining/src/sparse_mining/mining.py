"""Mining: for each pair a group of its passage, hard negatives from searchers by quota, and easy ones at random.

Everything that decides a group depends on the pair and the seed alone, never on its neighbours or on their order.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sparse_mining._files import InputError
from sparse_mining.groups import ORDER, Group, Label, Scale
from sparse_mining.negatives import FalseNegatives, Margin, Reason
from sparse_mining.pairs import Pair
from sparse_mining.passages import Collection, Query
from sparse_mining.ranking import Ranking
from sparse_mining.searchers import Searcher
from sparse_mining.splits import stable_hash

POSITIVE_SCORE = 10.0
HARD_SCORES = (1.0, 9.0)
"""Graded scores of a hard negative: as unlike as can be, and as similar as the positive."""
EASY_CEILING = 0.99
"""Graded scores of an easy negative stay below every hard one."""
BATCH = 1_000
"""Pairs searched for at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a group is to hold."""

    quotas: Mapping[str, int]
    """Hard negatives per searcher; what one cannot fill the others do."""
    n_easy: int = 3
    first_rank: int = 1
    last_rank: int = 100
    """Hard negatives are sought in this window of each searcher's ranks, ends included."""
    margin: Margin
    scale: Scale = "graded"
    titles: bool = False
    """Whether the documents of a group carry their title, on a line before the text, as they are searched."""
    seed: int = 42

    @property
    def n_hard(self) -> int:
        return sum(self.quotas.values())


class Candidate(NamedTuple):
    """A row, where a searcher found it, and its score there."""

    row: int
    source: str
    rank: int
    score: float


class Drop(NamedTuple):
    """A candidate that was left out, and why."""

    candidate: Candidate
    reason: Reason


@dataclass(frozen=True, slots=True)
class Mined:
    """A group and the candidates that were looked at and left out."""

    group: Group
    dropped: tuple[Drop, ...]


class _Chosen(NamedTuple):
    pair: Pair
    positive: int
    hard: list[Candidate]
    hard_ratios: list[float]
    easy: list[int]
    dropped: tuple[Drop, ...]


def mine(
    pairs: Sequence[Pair],
    collection: Collection,
    *,
    searchers: Sequence[Searcher],
    filters: FalseNegatives,
    plan: Plan,
) -> Iterator[Mined]:
    """Yields a group for each pair, in order; a group short of hard negatives is filled up with easy ones.

    The first searcher scores positives and easy negatives. InputError where there are fewer passages than a group
    wants.
    """
    wanted = 1 + plan.n_hard + plan.n_easy
    if len(collection) < wanted:
        raise InputError(
            f"{collection.path}: {len(collection)} passages, but a group wants {wanted} "
            f"(1 positive, {plan.n_hard} hard, {plan.n_easy} easy): ask for fewer negatives or give more passages"
        )
    for first in range(0, len(pairs), BATCH):
        yield from _mine_batch(pairs[first : first + BATCH], collection, searchers, filters, plan)


def _mine_batch(
    pairs: Sequence[Pair],
    collection: Collection,
    searchers: Sequence[Searcher],
    filters: FalseNegatives,
    plan: Plan,
) -> Iterator[Mined]:
    queries = [Query(id=pair.query_id, text=pair.query) for pair in pairs]
    positives = [collection.rows[pair.doc_id] for pair in pairs]
    asked = [searcher.ask(queries) for searcher in searchers]
    rankings = [found.best(plan.last_rank) for found in asked]
    own = [found.scores_of([np.array([row], np.int32) for row in positives]) for found in asked]
    chosen = []
    for i, pair in enumerate(pairs):
        found = {s.name: (rankings[n][i], float(own[n][i][0])) for n, s in enumerate(searchers)}
        chosen.append(_choose(pair, positives[i], found, filters=filters, plan=plan))
    rows = [np.array([c.positive, *(h.row for h in c.hard), *c.easy], np.int32) for c in chosen]
    for choice, scores in zip(chosen, asked[0].scores_of(rows), strict=True):
        yield Mined(_group(choice, collection, scores, plan=plan), choice.dropped)


def _choose(
    pair: Pair, positive: int, found: Mapping[str, tuple[Ranking, float]], *, filters: FalseNegatives, plan: Plan
) -> _Chosen:
    positives = filters.positives(pair.query) | {positive}
    dropped: list[Drop] = []

    def usable(name: str) -> Iterator[Candidate]:
        ranking, own = found[name]
        window = slice(plan.first_rank - 1, plan.last_rank)
        listed = zip(ranking.docs[window].tolist(), ranking.scores[window].tolist(), strict=True)
        for rank, (row, score) in enumerate(listed, start=plan.first_rank):
            if row == positive:
                continue
            candidate = Candidate(row, name, rank, score)
            reason = filters.reason(row, positive, positives)
            if reason is None and not plan.margin.holds(score, own):
                reason = "margin"
            if reason is None:
                yield candidate
            else:
                dropped.append(Drop(candidate, reason))

    hard = take({name: usable(name) for name in found}, plan.quotas)
    tops = {name: own if own > 0 else float(ranking.scores[:1].sum()) for name, (ranking, own) in found.items()}
    ratios = [_ratio(candidate.score, tops[candidate.source]) for candidate in hard]
    taken = positives | {candidate.row for candidate in hard}
    near = taken.union(*(ranking.docs.tolist() for ranking, _ in found.values()))
    n_easy = plan.n_easy + plan.n_hard - len(hard)
    easy = _random_rows(pair, positive, avoided=(near, taken), n_wanted=n_easy, filters=filters, seed=plan.seed)
    return _Chosen(pair, positive, hard, ratios, easy, tuple(dropped))


def take(candidates: Mapping[str, Iterator[Candidate]], quotas: Mapping[str, int]) -> list[Candidate]:
    """Candidates by turns, one of each source while its quota lasts; then whatever any source has left.

    A row found by two sources is taken once, from the one whose turn came first.

    >>> bm25 = iter([Candidate(1, "bm25", 1, 9.0), Candidate(2, "bm25", 2, 8.0)])
    >>> dense = iter([Candidate(1, "dense", 1, 0.9)])
    >>> [(c.row, c.source) for c in take({"bm25": bm25, "dense": dense}, {"bm25": 1, "dense": 1})]
    [(1, 'bm25'), (2, 'bm25')]
    """
    n_wanted = sum(quotas.values())
    chosen: dict[int, Candidate] = {}
    for limits in (quotas, dict.fromkeys(quotas, n_wanted)):
        taken = Counter[str]()
        active = [name for name in quotas if limits[name]]
        while active and len(chosen) < n_wanted:
            for name in tuple(active):
                candidate = next((c for c in candidates[name] if c.row not in chosen), None)
                if candidate is None:
                    active.remove(name)
                elif len(chosen) < n_wanted:
                    chosen[candidate.row] = candidate
                    taken[name] += 1
                if candidate is not None and taken[name] >= limits[name]:
                    active.remove(name)
    return list(chosen.values())


def _random_rows(
    pair: Pair,
    positive: int,
    *,
    avoided: tuple[frozenset[int], frozenset[int]],
    n_wanted: int,
    filters: FalseNegatives,
    seed: int,
) -> list[int]:
    """Rows at random that no filter speaks against: far from the query first, then any that is not taken."""
    if not n_wanted:
        return []
    draw = np.random.default_rng(list(stable_hash(seed, f"{pair.query_id}\0{pair.doc_id}")[:16]))
    n_rows = len(filters.documents)
    rows: list[int] = []
    for avoid, order in ((avoided[0], draw.integers(n_rows, size=8 * n_wanted)), (avoided[1], None)):
        tries = (draw.permutation(n_rows) if order is None else order).tolist() if len(rows) < n_wanted else ()
        for row in tries:
            if len(rows) == n_wanted:
                break
            if row not in avoid and row not in rows and filters.reason(row, positive, avoided[1]) is None:
                rows.append(row)
    return rows


def _group(choice: _Chosen, collection: Collection, scores: NDArray[np.float64], *, plan: Plan) -> Group:
    n_hard = len(choice.hard)
    rows = [choice.positive, *(c.row for c in choice.hard), *choice.easy]
    labels: list[Label] = ["positive"]
    labels += ["hard"] * n_hard
    labels += ["easy"] * len(choice.easy)
    sources = ["pairs@1", *(f"{c.source}@{c.rank}" for c in choice.hard)]
    sources += [f"random@{rank}" for rank in range(1, len(choice.easy) + 1)]
    graded = (
        scores.tolist() if plan.scale == "raw" else grade(choice.hard_ratios, scores[1 + n_hard :], float(scores[0]))
    )
    order = sorted(range(len(rows)), key=lambda i: (ORDER[labels[i]], -graded[i], i))
    found = [collection.passages[rows[i]] for i in order]
    return Group(
        query=choice.pair.query,
        docs=tuple(passage.full_text() if plan.titles else passage.text for passage in found),
        scores=tuple(round(graded[i], 6) for i in order),
        q_id=choice.pair.query_id,
        d_ids=tuple(passage.id for passage in found),
        labels=tuple(labels[i] for i in order),
        sources=tuple(sources[i] for i in order),
    )


def grade(hard_ratios: Sequence[float], easy_scores: NDArray[np.float64], positive_score: float) -> list[float]:
    """Graded scores: the positive 10, hard ones 1 to 9 by their similarity to it, easy ones 0 to .99.

    >>> grade([1.0, 0.5], np.array([0.0, 2.0]), 8.0)
    [10.0, 9.0, 5.0, 0.0, 0.2475]
    """
    low, high = HARD_SCORES
    hard = [low + (high - low) * ratio for ratio in hard_ratios]
    easy = [EASY_CEILING * _ratio(float(score), positive_score) for score in easy_scores]
    return [POSITIVE_SCORE, *hard, *easy]


def _ratio(score: float, reference: float) -> float:
    return min(max(score / reference, 0.0), 1.0) if reference > 0 else 0.0


def quotas(names: Sequence[str], n_hard: int) -> dict[str, int]:
    """Shares of `n_hard` per searcher: as stated (`bm25=5`), else equal with what is left over to the first ones.

    >>> quotas(["bm25", "dense"], 7), quotas(["bm25=5", "dense"], 7)
    ({'bm25': 4, 'dense': 3}, {'bm25': 5, 'dense': 2})
    """
    stated: dict[str, int | None] = {}
    for name in names:
        bare, equals, number = name.partition("=")
        if equals and not number.isdecimal():
            raise InputError(f"--miners: {name!r} is not NAME or NAME=NUMBER")
        stated[bare] = int(number) if equals else None
    left = n_hard - sum(number for number in stated.values() if number is not None)
    free = [name for name, number in stated.items() if number is None]
    if left < 0 or (left and not free):
        raise InputError(f"--miners: the quotas {','.join(names)} do not add up to --hard {n_hard}")
    shares = {name: left // len(free) + (i < left % len(free)) for i, name in enumerate(free)}
    return {name: shares[name] if number is None else number for name, number in stated.items()}
