"""False negatives: passages that would answer a query although no pair says so, and why each is left out.

A wrong negative teaches the model to push an answer away, so every rule here prefers losing a good negative.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from sparse_mining._files import read_jsonl
from sparse_mining.pairs import Pair, normal
from sparse_mining.passages import Collection

Reason = Literal["known_positive", "same_document", "near_duplicate", "same_title", "contained_text", "margin"]


class DuplicateCluster(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `duplicate_clusters.jsonl`: documents that say the same."""

    cluster_id: str
    doc_ids: tuple[str, ...]


def read_duplicates(path: Path) -> dict[str, str]:
    """The cluster of each document (or passage) id that has one."""
    return {doc_id: line.cluster_id for line in read_jsonl(path, DuplicateCluster) for doc_id in line.doc_ids}


@dataclass(frozen=True, slots=True)
class FalseNegatives:
    """What is known of every row; holds a normalised copy of each text."""

    known: dict[str, frozenset[int]]
    """Rows that any pair names for a normalised query text."""
    documents: Sequence[str]
    clusters: Sequence[str]
    """Near-duplicate cluster, empty where none."""
    titles: Sequence[str]
    texts: Sequence[str]

    def reason(self, row: int, positive: int, positives: frozenset[int]) -> Reason | None:
        """Why a row cannot be a negative of a query with these positives; None where nothing speaks against it."""
        if row in positives:
            return "known_positive"
        if self.documents[row] == self.documents[positive]:
            return "same_document"
        if self.clusters[row] and self.clusters[row] == self.clusters[positive]:
            return "near_duplicate"
        if self.titles[row] and self.titles[row] == self.titles[positive]:
            return "same_title"
        if self.texts[row] in self.texts[positive] or self.texts[positive] in self.texts[row]:
            return "contained_text"
        return None

    def positives(self, query: str) -> frozenset[int]:
        """Rows that answer the query, or one of equal text."""
        return self.known.get(normal(query), frozenset())


def false_negatives(collection: Collection, pairs: Iterable[Pair], duplicates: dict[str, str]) -> FalseNegatives:
    """Collects what the filters need; `pairs` are all there are, of every split."""
    known: dict[str, set[int]] = {}
    for pair in pairs:
        known.setdefault(normal(pair.query), set()).add(collection.rows[pair.doc_id])
    documents = [passage.document_id() for passage in collection.passages]
    return FalseNegatives(
        known={text: frozenset(rows) for text, rows in known.items()},
        documents=documents,
        clusters=[
            duplicates.get(passage.id, duplicates.get(document, ""))
            for passage, document in zip(collection.passages, documents, strict=True)
        ],
        titles=[normal(passage.title) for passage in collection.passages],
        texts=[normal(passage.text) for passage in collection.passages],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """How far below its positive a negative must score; off where both are None."""

    relative: float | None = 0.05
    """Share of the positive's score: NV-Retriever's TopK-PercPos keeps scores under (1 - .05) of it."""
    absolute: float | None = None

    def holds(self, score: float, positive: float) -> bool:
        """Whether a negative of that score may stay; a positive scored 0 or below says nothing, so all may.

        Source: Moreira et al. 2024, arXiv:2407.15831.

        >>> Margin(relative=0.05).holds(9.6, 10.0), Margin(relative=0.05).holds(9.4, 10.0)
        (False, True)
        """
        if positive <= 0:
            return True
        if self.relative is not None and score > positive * (1 - self.relative):
            return False
        return self.absolute is None or score <= positive - self.absolute
