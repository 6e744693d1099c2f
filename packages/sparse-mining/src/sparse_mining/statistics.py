"""Statistics of groups: what each miner gave, how hard it is, and how many groups got less than they asked for.

Told from the groups alone, so that files of any origin can be compared.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec
import numpy as np

from sparse_mining.groups import Group


class Miner(msgspec.Struct, frozen=True, kw_only=True):
    """What one miner gave."""

    miner: str
    n_docs: int
    n_distinct: int
    mean_rank: float
    hardness: float
    """Mean score over that of the group's positive."""
    overlap: dict[str, float]
    """Share of its distinct documents that each other miner gave too, in whatever group."""


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """A file of groups in numbers."""

    n_groups: int
    n_distinct_docs: int
    hard_per_group: dict[str, int]
    """Groups by their number of hard negatives."""
    n_short: int
    """Groups with fewer hard negatives than most have."""
    miners: tuple[Miner, ...]


def statistics(groups: Iterable[Group]) -> Statistics:
    """Counts a stream of groups; holds an id and two numbers a document."""
    n_hard: Counter[int] = Counter()
    docs: dict[str, list[str]] = {}
    ranks: dict[str, list[int]] = {}
    ratios: dict[str, list[float]] = {}
    distinct: set[str] = set()
    for group in groups:
        n_hard[group.labels.count("hard")] += 1
        distinct.update(group.d_ids)
        for doc_id, score, source in zip(group.d_ids, group.scores, group.sources, strict=True):
            miner, _, rank = source.rpartition("@")
            docs.setdefault(miner, []).append(doc_id)
            ranks.setdefault(miner, []).append(int(rank))
            ratios.setdefault(miner, []).append(score / group.scores[0] if group.scores[0] else 0.0)
    sets = {miner: set(ids) for miner, ids in docs.items()}
    most = max(n_hard, default=0)
    return Statistics(
        n_groups=n_hard.total(),
        n_distinct_docs=len(distinct),
        hard_per_group={str(n): count for n, count in sorted(n_hard.items())},
        n_short=sum(count for n, count in n_hard.items() if n < most),
        miners=tuple(
            Miner(
                miner=miner,
                n_docs=len(docs[miner]),
                n_distinct=len(sets[miner]),
                mean_rank=round(float(np.mean(ranks[miner])), 3),
                hardness=round(float(np.mean(ratios[miner])), 4),
                overlap={
                    other: round(len(sets[miner] & sets[other]) / len(sets[miner]), 4)
                    for other in sorted(sets)
                    if other != miner
                },
            )
            for miner in sorted(docs)
        ),
    )
