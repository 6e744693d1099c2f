"""Where two systems differ, query by query, and where every system fails: what a mean does not say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sparse_eval.comparison import System
from sparse_eval.measuring import PRIMARY, Judged, judge
from sparse_eval.records import Passage, Query
from sparse_eval.runs import Qrels, rank_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one query in each system."""

    query_id: str
    relevant: tuple[str, ...]
    """The relevant doc_ids, the most relevant first."""
    scores: Mapping[str, float]
    """nDCG@10 by system."""
    ranks: Mapping[str, int | None]
    """Rank of the first relevant document by system; None where it was not found."""
    first: Mapping[str, str]
    """The doc_id at rank 1 by system; systems that found nothing lack."""

    def gain(self, better: str, than: str) -> float:
        """By how much the first system's nDCG@10 is above the second's."""
        return self.scores[better] - self.scores[than]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The queries worth reading."""

    better: str
    than: str
    wins: tuple[Outcome, ...]
    """Queries on which `better` gains most, largest gain first."""
    losses: tuple[Outcome, ...]
    n_wins: int
    n_losses: int
    n_ties: int
    failures: tuple[Outcome, ...]
    """Queries that no system answers in its first ten, those found latest (or never) first."""
    n_failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What ids stand for; an id that is not known is shown as it is."""

    queries: Mapping[str, Query] = field(default_factory=dict)
    passages: Mapping[str, Passage] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """An explanation with all that it is made of."""

    explanation: Explanation
    outcomes: Sequence[Outcome]
    texts: Texts


def outcomes(systems: Sequence[System], qrels: Qrels) -> list[Outcome]:
    """What became of every judged query, by query_id."""
    judged = {system.name: judge(system.run, qrels) for system in systems}
    some: Judged = next(iter(judged.values()))
    scores = {name: one.of(PRIMARY) for name, one in judged.items()}
    return [
        Outcome(
            query_id=query_id,
            relevant=_relevant(qrels[query_id]),
            scores={name: float(values[column]) for name, values in scores.items()},
            ranks={system.name: rank_of(system.run, query_id, qrels[query_id]) for system in systems},
            first={system.name: system.run[query_id][0] for system in systems if system.run.get(query_id)},
        )
        for column, query_id in enumerate(some.query_ids)
    ]


def explain(found: Sequence[Outcome], better: str, than: str, *, n_shown: int = 10) -> Explanation:
    """Picks the queries worth reading: `n_shown` of each list at most, equals by query_id."""
    by_gain = sorted(found, key=lambda o: (-o.gain(better, than), o.query_id))
    wins = [o for o in by_gain if o.gain(better, than) > 0]
    losses = [o for o in reversed(by_gain) if o.gain(better, than) < 0]
    failures = sorted((o for o in found if not any(o.scores.values())), key=lambda o: (-_best_rank(o), o.query_id))
    return Explanation(
        better=better,
        than=than,
        wins=tuple(wins[:n_shown]),
        losses=tuple(losses[:n_shown]),
        n_wins=len(wins),
        n_losses=len(losses),
        n_ties=len(found) - len(wins) - len(losses),
        failures=tuple(failures[:n_shown]),
        n_failures=len(failures),
    )


def _relevant(judged: Mapping[str, int]) -> tuple[str, ...]:
    relevant = (doc_id for doc_id, relevance in judged.items() if relevance > 0)
    return tuple(sorted(relevant, key=lambda doc_id: (-judged[doc_id], doc_id)))


def _best_rank(outcome: Outcome) -> float:
    return min((rank for rank in outcome.ranks.values() if rank is not None), default=float("inf"))
