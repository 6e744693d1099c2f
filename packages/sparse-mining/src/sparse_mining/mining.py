"""Mining: for each pair a group of its passage, hard negatives from miners by quota, and easy ones at random.

Everything that decides a group depends on the pair and the seed alone, never on its neighbours or on their order.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import numpy as np

from sparse_mining import grading
from sparse_mining._files import InputError
from sparse_mining.bounds import Bounds, Window
from sparse_mining.grading import Candidate, Chosen, ratio
from sparse_mining.groups import Group, Sampling, Scale
from sparse_mining.judges import Judge, Pool
from sparse_mining.miners import Batch, Look, Miner
from sparse_mining.negatives import Answers, FalseNegatives, Reason
from sparse_mining.pairs import Pair
from sparse_mining.passages import Collection
from sparse_mining.searchers import Searcher
from sparse_mining.splits import stable_hash

BATCH = 1_000
"""Pairs searched for at once."""
JUDGED = 3
"""Candidates that a judge is shown of each miner, for each hard negative wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a group is to hold."""

    quotas: Mapping[str, int]
    """Hard negatives per miner; what one cannot fill the others do."""
    n_easy: int = 3
    window: Window = Window()
    sampling: Sampling = "top"
    """Whether hard negatives are the best-ranked of the window or drawn from it."""
    bounds: Bounds = field(default_factory=Bounds)
    judge: str = ""
    """Which teacher's scores, if any, tell answers."""
    threshold: float = 0.9
    """Score of that teacher above which a candidate is an answer."""
    scale: Scale = "graded"
    titles: bool = False
    """Whether the documents of a group carry their title, on a line before the text, as they are searched."""
    seed: int = 42

    @property
    def n_hard(self) -> int:
        return sum(self.quotas.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What negatives are chosen by."""

    scorer: Searcher
    """Scores positives and easy negatives."""
    miners: Sequence[Miner]
    filters: FalseNegatives
    judge: Judge | None = None


class Drop(NamedTuple):
    """A candidate that was left out, and why."""

    candidate: Candidate
    reason: Reason


class Shared(NamedTuple):
    """How much of what one miner saw for a pair another saw too."""

    miner: str
    other: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """A group, what was looked at and left out for it, and what its miners have in common."""

    group: Group
    n_dropped: Mapping[Reason, int]
    """Candidates left out, by reason."""
    dropped: tuple[Drop, ...]
    """Those candidates, where an audit is wanted: there are often a hundred of them a group."""
    shared: tuple[Shared, ...]
    n_unjudged: int
    """Hard negatives that the judge has no score for."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A pair whose negatives are still to be taken from the candidates of each miner."""

    pair: Pair
    answers: Answers
    looks: Mapping[str, Look]
    candidates: dict[str, Iterator[Candidate]]
    """Those that no filter spoke against so far, looked for only as they are taken."""
    dropped: list[Drop]
    judged: dict[int, float]


def mine(
    pairs: Sequence[Pair], collection: Collection, *, sources: Sources, plan: Plan, audited: bool = False
) -> Iterator[Mined]:
    """Yields a group for each pair, in order; a group short of hard negatives is filled up with easy ones.

    `audited` keeps each candidate left out, and not only their number. InputError where there are fewer passages than
    a group wants.
    """
    refuse_too_few(collection, plan)
    for first in range(0, len(pairs), BATCH):
        yield from _mine_batch(pairs[first : first + BATCH], collection, sources, plan, audited=audited)


def refuse_too_few(collection: Collection, plan: Plan) -> None:
    """Raises InputError where there are fewer passages than a group wants."""
    wanted = 1 + plan.n_hard + plan.n_easy
    if len(collection) < wanted:
        raise InputError(
            f"{collection.path}: {len(collection)} passages, but a group wants {wanted} "
            f"(1 positive, {plan.n_hard} hard, {plan.n_easy} easy): ask for fewer negatives or give more passages"
        )


def _mine_batch(
    pairs: Sequence[Pair], collection: Collection, sources: Sources, plan: Plan, *, audited: bool
) -> Iterator[Mined]:
    batch = Batch(pairs, [collection.rows[pair.doc_id] for pair in pairs])
    miners = sources.miners if plan.n_hard or plan.n_easy else ()
    looks = {miner.name: miner.look(batch, plan.window) for miner in miners}
    opened = [
        _open(pair, {name: seen[i] for name, seen in looks.items()}, collection, filters=sources.filters, plan=plan)
        for i, pair in enumerate(pairs)
    ]
    if sources.judge is not None:
        _judge(opened, sources.judge, plan)
    chosen = [_choose(one, sources.filters, plan) for one in opened]
    scores = batch.ask(sources.scorer).scores_of([np.array(choice.rows(), np.int32) for choice in chosen])
    for one, choice, own in zip(opened, chosen, scores, strict=True):
        yield Mined(
            group=grading.group(choice, collection, own, scale=plan.scale, titles=plan.titles),
            n_dropped=Counter(drop.reason for drop in one.dropped),
            dropped=tuple(one.dropped) if audited else (),
            shared=tuple(shared(one.looks)),
            n_unjudged=sum(c.row not in one.judged for c in choice.hard) if sources.judge is not None else 0,
        )


def _open(
    pair: Pair, looks: Mapping[str, Look], collection: Collection, *, filters: FalseNegatives, plan: Plan
) -> _Open:
    answers = filters.answers(pair, collection.rows[pair.doc_id])
    dropped: list[Drop] = []

    def passed(name: str, look: Look) -> Iterator[Candidate]:
        reference = look.own if look.own > 0 else look.top
        bar = plan.bounds.margin.reference(look.own, look.found)
        for at in _order(look, pair, name, plan):
            row, score = look.rows[at], look.query_scores[at]
            if row == answers.positive:
                continue
            candidate = Candidate(row, name, look.ranks[at], look.scores[at], ratio(score, reference))
            reason = filters.reason(row, answers) or plan.bounds.crossed(name, score, bar)
            if reason is None:
                yield candidate
            else:
                dropped.append(Drop(candidate, reason))

    return _Open(pair, answers, looks, {name: passed(name, look) for name, look in looks.items()}, dropped, {})


def _order(look: Look, pair: Pair, name: str, plan: Plan) -> Iterable[int]:
    """Places in a look in the order in which negatives are taken."""
    if plan.sampling == "top":
        return range(len(look.rows))
    seed = list(stable_hash(plan.seed, f"{name}\0{pair.query_id}\0{pair.doc_id}")[:16])
    return np.random.default_rng(seed).permutation(len(look.rows)).tolist()  # type: ignore[no-any-return]


def _judge(opened: Sequence[_Open], judge: Judge, plan: Plan) -> None:
    """Leaves each pair the candidates, of the first few of every miner, that the judge does not take for answers."""
    first = [{name: list(islice(found, JUDGED * plan.n_hard)) for name, found in o.candidates.items()} for o in opened]
    pools = [
        Pool(one.pair, list(dict.fromkeys(c.row for found in by_miner.values() for c in found)))
        for one, by_miner in zip(opened, first, strict=True)
    ]
    for one, by_miner, scores in zip(opened, first, judge.scores(pools), strict=True):
        one.judged.update(scores)
        for name, found in by_miner.items():
            answers = {c for c in found if scores.get(c.row, plan.threshold) > plan.threshold}
            one.dropped.extend(Drop(c, "teacher") for c in found if c in answers)
            one.candidates[name] = iter([c for c in found if c not in answers])


def _choose(one: _Open, filters: FalseNegatives, plan: Plan) -> Chosen:
    hard, repeated = take(one.candidates, plan.quotas, firsts=filters.firsts)
    one.dropped.extend(Drop(candidate, "repeated_text") for candidate in repeated)
    n_easy = plan.n_easy + plan.n_hard - len(hard)
    taken = {filters.firsts[candidate.row] for candidate in hard}
    near = set().union(*(look.near.tolist() for look in one.looks.values())) if n_easy else set()
    easy = _random_rows(one, (near, taken), n_wanted=n_easy, filters=filters, seed=plan.seed)
    return Chosen(one.pair, one.answers.positive, hard, easy)


def take(
    candidates: Mapping[str, Iterator[Candidate]], quotas: Mapping[str, int], *, firsts: Sequence[int]
) -> tuple[list[Candidate], list[Candidate]]:
    """Candidates by turns, one of each source while its quota lasts; then whatever any source has left.

    A text found twice is taken once, from the source whose turn came first; other rows of that text come back too.

    >>> bm25 = iter([Candidate(1, "bm25", 1, 9.0, 0.9), Candidate(2, "bm25", 2, 8.0, 0.8)])
    >>> dense = iter([Candidate(1, "dense", 1, 0.9, 0.7)])
    >>> taken, repeated = take({"bm25": bm25, "dense": dense}, {"bm25": 1, "dense": 1}, firsts=[0, 1, 2])
    >>> [(c.row, c.source) for c in taken], repeated
    ([(1, 'bm25'), (2, 'bm25')], [])
    """
    n_wanted = sum(quotas.values())
    chosen: dict[int, Candidate] = {}
    repeated: list[Candidate] = []

    def next_new(name: str) -> Candidate | None:
        for candidate in candidates[name]:
            held = chosen.get(firsts[candidate.row])
            if held is None:
                return candidate
            if held.row != candidate.row:
                repeated.append(candidate)
        return None

    for limits in (quotas, dict.fromkeys(quotas, n_wanted)):
        taken = Counter[str]()
        active = [name for name in quotas if limits[name]]
        while active and len(chosen) < n_wanted:
            for name in tuple(active):
                candidate = next_new(name) if len(chosen) < n_wanted else None
                if candidate is not None:
                    chosen[firsts[candidate.row]] = candidate
                    taken[name] += 1
                if candidate is None or taken[name] >= limits[name]:
                    active.remove(name)
    return list(chosen.values()), repeated


def shared(looks: Mapping[str, Look]) -> Iterator[Shared]:
    """Yields for each two miners how much of what the one saw the other saw too; 0 where it saw nothing."""
    seen = {name: frozenset(look.rows) for name, look in looks.items()}
    for name, rows in seen.items():
        for other in seen:
            if other != name:
                yield Shared(name, other, len(rows & seen[other]) / len(rows) if rows else 0.0)


def _random_rows(
    one: _Open, avoided: tuple[set[int], set[int]], *, n_wanted: int, filters: FalseNegatives, seed: int
) -> list[int]:
    """Rows at random that no filter speaks against, of texts not taken: first such as no miner saw, then any."""
    near, taken = avoided
    draw = np.random.default_rng(list(stable_hash(seed, f"{one.pair.query_id}\0{one.pair.doc_id}")[:16]))
    n_rows = len(filters.documents)
    rows: dict[int, int] = {}
    for avoid, far in ((near, True), (frozenset[int](), False)):
        if len(rows) == n_wanted:
            break
        order = draw.integers(n_rows, size=8 * n_wanted) if far else draw.permutation(n_rows)
        for row in order.tolist():
            if len(rows) == n_wanted:
                break
            text = filters.firsts[row]
            if row not in avoid and text not in taken and text not in rows and not filters.reason(row, one.answers):
                rows[text] = row
    return list(rows.values())
