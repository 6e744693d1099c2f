"""Statistics of groups: what each miner gave, how hard it is, and how many groups got less than they asked for.

Told from the groups, so that files of any origin can be compared; from `metadata.json` where mining wrote one.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np

from sparse_mining._files import read_json
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
    n_hard: int
    """Hard negatives asked for per group; where nothing says so, the most that a group has."""
    n_short: int
    """Groups with fewer."""
    miners: tuple[Miner, ...]
    seen: dict[str, float]
    """`A in B`: mean share of what miner A saw for a query, taken or not, that B saw too; empty where not known."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What mining says of a file of groups."""

    n_hard: int
    seen: dict[str, float]


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    quotas: dict[str, int]


class _Side(msgspec.Struct, frozen=True, kw_only=True):
    overlap: dict[str, float] = {}


class _Metadata(msgspec.Struct, frozen=True, kw_only=True):
    plan: _Plan
    splits: dict[str, _Side]


def read_asked(path: Path, groups: Path) -> Asked:
    """What `metadata.json` says of `train.jsonl` or `val.jsonl`, told by its name; of another file no overlap."""
    found = read_json(path, _Metadata)
    side = found.splits.get(groups.name.partition(".")[0], _Side())
    return Asked(n_hard=sum(found.plan.quotas.values()), seen=side.overlap)


def statistics(groups: Iterable[Group], *, asked: Asked | None = None) -> Statistics:
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
    most = asked.n_hard if asked else max(n_hard, default=0)
    return Statistics(
        n_groups=n_hard.total(),
        n_distinct_docs=len(distinct),
        hard_per_group={str(n): count for n, count in sorted(n_hard.items())},
        n_hard=most,
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
        seen=asked.seen if asked else {},
    )
