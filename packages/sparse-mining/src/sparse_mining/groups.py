"""Training groups: a query, its passage and negatives best-first, each with score, label and provenance.

The rows that `opensearch-sparse-model-tuning-sample` trains on (`query, docs, scores`), with ids beside them.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from sparse_mining._files import read_jsonl, write_jsonl

Label = Literal["positive", "hard", "easy"]
Scale = Literal["graded", "raw"]
Sampling = Literal["top", "random"]
Shape = Literal["kd", "kd-ids"]

ORDER: dict[Label, int] = {"positive": 0, "hard": 1, "easy": 2}
"""Where a label stands in a group: positives first."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One query with its documents; the six lists are parallel. ValueError (ValidationError on reading) where not."""

    query: str
    docs: tuple[str, ...]
    scores: tuple[float, ...]
    q_id: str
    d_ids: tuple[str, ...]
    labels: tuple[Label, ...]
    sources: tuple[str, ...]
    """`<miner>@<rank from 1>` of each document."""

    def __post_init__(self) -> None:
        lengths = {len(self.docs), len(self.scores), len(self.d_ids), len(self.labels), len(self.sources)}
        if len(lengths) > 1:
            raise ValueError(f"group {self.q_id!r}: docs, scores, d_ids, labels and sources differ in length")


def read_groups(path: Path) -> Iterator[Group]:
    """Yields the groups of a JSON Lines file in order; InputError names path and line."""
    return read_jsonl(path, Group)


def write_groups(path: Path, groups: Iterable[Group]) -> int:
    """Writes groups, whole or not at all, and returns how many; `groups` is consumed as a stream."""
    return write_jsonl(path, groups)
