"""False negatives: passages that would answer a query although no pair says so, and why each is left out.

A wrong negative teaches the model to push an answer away, so every rule here prefers losing a good negative.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from sparse_mining._files import InputError, read_jsonl
from sparse_mining.bounds import Crossed
from sparse_mining.pairs import Pair, normal
from sparse_mining.passages import Collection

Known = Literal["known_positive", "equal_query", "same_document", "near_duplicate", "same_title", "contained_text"]
Reason = Known | Crossed | Literal["repeated_text", "teacher"]


class DuplicateCluster(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `duplicate_clusters.jsonl`: documents that say the same."""

    cluster_id: str
    doc_ids: tuple[str, ...]


def read_duplicates(path: Path) -> dict[str, str]:
    """The cluster of each document (or passage) id that has one."""
    return {doc_id: line.cluster_id for line in read_jsonl(path, DuplicateCluster) for doc_id in line.doc_ids}


def read_qrels(paths: Iterable[Path], collection: Collection) -> dict[str, set[int]]:
    """Rows judged relevant (above 0) by query id, of BEIR files `query-id corpus-id score`, tabs between.

    InputError where a line is not so, or names a passage that is not there.
    """
    found: dict[str, set[int]] = {}
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read: {error}") from error
        for number, line in enumerate(lines, start=1):
            query_id, doc_id, score = [*line.split("\t"), "", ""][:3]
            if score == "score" or not line:
                continue
            if not score.lstrip("-").isdecimal():
                raise InputError(f"{path}:{number}: found {line!r}, wanted query-id, corpus-id and score with tabs")
            if doc_id not in collection.rows:
                raise InputError(f"{path}:{number}: corpus-id {doc_id!r} is not in {collection.path}")
            if int(score) > 0:
                found.setdefault(query_id, set()).add(collection.rows[doc_id])
    return found


@dataclass(frozen=True, slots=True)
class Answers:
    """Rows known to answer one query."""

    positive: int
    """Of the pair at hand."""
    named: frozenset[int]
    """By its other pairs and by qrels."""
    equal: frozenset[int]
    """By pairs of any query of equal text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseNegatives:
    """What is known of every row; holds a normalised copy of each text."""

    named: Mapping[str, frozenset[int]]
    """Rows that pairs or qrels name, by query id."""
    equal: Mapping[str, frozenset[int]]
    """Rows that any pair names, by normalised query text."""
    documents: Sequence[str]
    clusters: Sequence[str]
    """Near-duplicate cluster, empty where none."""
    titles: Sequence[str]
    texts: Sequence[str]
    firsts: Sequence[int]
    """The first row of equal text, or of the same near-duplicate cluster: no two of one are in a group."""

    def answers(self, pair: Pair, positive: int) -> Answers:
        """What is known to answer the query of a pair."""
        nothing = frozenset[int]()
        return Answers(positive, self.named.get(pair.query_id, nothing), self.equal.get(normal(pair.query), nothing))

    def reason(self, row: int, answers: Answers) -> Known | None:
        """Why a row cannot be a negative of a query with these answers; None where nothing speaks against it."""
        positive = answers.positive
        if row == positive or row in answers.named:
            return "known_positive"
        if row in answers.equal:
            return "equal_query"
        if self.documents[row] == self.documents[positive]:
            return "same_document"
        if self.clusters[row] and self.clusters[row] == self.clusters[positive]:
            return "near_duplicate"
        if self.titles[row] and self.titles[row] == self.titles[positive]:
            return "same_title"
        if self.texts[row] in self.texts[positive] or self.texts[positive] in self.texts[row]:
            return "contained_text"
        return None


def false_negatives(
    collection: Collection,
    pairs: Iterable[Pair],
    *,
    duplicates: Mapping[str, str],
    judged: Mapping[str, Iterable[int]],
) -> FalseNegatives:
    """Collects what the filters need; `pairs` are all there are, of every split, `judged` the rows of qrels."""
    named: dict[str, set[int]] = {query_id: set(rows) for query_id, rows in judged.items()}
    equal: dict[str, set[int]] = {}
    for pair in pairs:
        row = collection.rows[pair.doc_id]
        named.setdefault(pair.query_id, set()).add(row)
        equal.setdefault(normal(pair.query), set()).add(row)
    documents = [passage.document_id() for passage in collection.passages]
    clusters = [
        duplicates.get(passage.id, duplicates.get(document, ""))
        for passage, document in zip(collection.passages, documents, strict=True)
    ]
    texts = [normal(passage.text) for passage in collection.passages]
    first_rows: dict[tuple[str, str], int] = {}
    return FalseNegatives(
        named={query_id: frozenset(rows) for query_id, rows in named.items()},
        equal={text: frozenset(rows) for text, rows in equal.items()},
        documents=documents,
        clusters=clusters,
        titles=[normal(passage.title) for passage in collection.passages],
        texts=texts,
        firsts=[
            first_rows.setdefault((cluster, "" if cluster else text), row)
            for row, (cluster, text) in enumerate(zip(clusters, texts, strict=True))
        ],
    )
