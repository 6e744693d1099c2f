"""Checking groups: what a trainer would trip over, told before it does, with the numbers behind it.

A group file can be read and still be wrong: out of order, a negative that is the positive, a query that leaks.
"""

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np

from sparse_mining._files import read_jsonl
from sparse_mining.groups import ORDER, Group
from sparse_mining.pairs import normal

N_EXAMPLES = 5
"""Groups named for each finding."""

UNSORTED = "scores are not best-first"
OVERLAPPING = "a score is not below those of a better label"
OF_SCORES = frozenset({UNSORTED, OVERLAPPING})
"""What a teacher's own scores may well be: it does not always put the positive first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """What other files hold that must not be met here."""

    queries: Set[str] = frozenset()
    """Normalised texts."""
    documents: Set[str] = frozenset()
    """Documents that hold a positive."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of thing that is wrong, how often, and where first."""

    problem: str
    n: int
    examples: tuple[str, ...]
    """q_id of the first ones."""


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """How the scores of one label are spread."""

    n: int
    low: float
    median: float
    high: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in one file."""

    n_groups: int
    n_docs: dict[str, int]
    """Groups by their number of documents."""
    scores: dict[str, Scores]
    findings: tuple[Finding, ...]


def check(groups: Iterable[Group], *, others: Others) -> Report:
    """Looks every group over, by itself, beside those before it and beside other files."""
    problems: dict[str, list[str]] = {}
    sizes: Counter[int] = Counter()
    scores: dict[str, list[float]] = {}
    seen: set[tuple[str, str]] = set()
    for group in groups:
        sizes[len(group.docs)] += 1
        for label, score in zip(group.labels, group.scores, strict=True):
            scores.setdefault(label, []).append(score)
        found = list(problems_of(group))
        key = (normal(group.query), group.d_ids[0] if group.d_ids else "")
        if key in seen:
            found.append("the same query and positive as an earlier group")
        if key[0] in others.queries:
            found.append("the query is met in another file")
        if document_of(group.d_ids[:1]) in others.documents:
            found.append("the positive's document has a positive in another file")
        seen.add(key)
        for problem in found:
            problems.setdefault(problem, []).append(group.q_id)
    return Report(
        n_groups=sizes.total(),
        n_docs={str(size): n for size, n in sorted(sizes.items())},
        scores={label: _spread(values) for label, values in sorted(scores.items())},
        findings=tuple(
            Finding(problem=problem, n=len(ids), examples=tuple(ids[:N_EXAMPLES]))
            for problem, ids in sorted(problems.items())
        ),
    )


def others_of(paths: Iterable[Path]) -> Others:
    """What files of groups, of pairs or of BEIR queries hold; documents are told by groups alone."""
    lines = [line for path in paths for line in read_jsonl(path, _Line)]
    return Others(
        queries=frozenset(normal(line.query or line.text) for line in lines),
        documents=frozenset(document_of(line.d_ids[:1]) for line in lines if line.d_ids),
    )


def document_of(doc_ids: Sequence[str]) -> str:
    """The document of the first passage: its id up to the last `#`; empty where there is none.

    >>> document_of(["doc-1#4"]), document_of(["doc-2"])
    ('doc-1', 'doc-2')
    """
    return next((doc_id.rpartition("#")[0] or doc_id for doc_id in doc_ids), "")


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    query: str = ""
    text: str = ""
    d_ids: tuple[str, ...] = ()


def problems_of(group: Group) -> Iterable[str]:
    """Yields what is wrong with a group by itself."""
    if "positive" not in group.labels[:1]:
        yield "the first document is not a positive"
    if any(b > a for a, b in pairwise(group.scores)):
        yield UNSORTED
    if not np.isfinite(group.scores).all():
        yield "a score is not a finite number"
    if any(ORDER[b] < ORDER[a] for a, b in pairwise(group.labels)):
        yield "labels are not in the order positive, hard, easy"
    if _labels_overlap(group):
        yield OVERLAPPING
    if len(set(group.d_ids)) < len(group.d_ids):
        yield "a document is there twice"
    if len({normal(doc) for doc in group.docs}) < len(group.docs):
        yield "a text is there twice"
    if len(group.docs) < 2:
        yield "there is no negative"


def _labels_overlap(group: Group) -> bool:
    by_label: dict[int, list[float]] = {}
    for label, score in zip(group.labels, group.scores, strict=True):
        by_label.setdefault(ORDER[label], []).append(score)
    ranked = [by_label[order] for order in sorted(by_label)]
    return any(min(better) <= max(worse) for better, worse in pairwise(ranked))


def _spread(values: Sequence[float]) -> Scores:
    low, median, high = (round(float(q), 6) for q in np.quantile(values, (0, 0.5, 1)))
    return Scores(n=len(values), low=low, median=median, high=high)
