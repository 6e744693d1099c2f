"""The passages of a deployment joined with their vectors, read in step and twice: once to judge, once to send.

The first reading finds everything that is wrong before the cluster is touched.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from os_deploy._files import InputError, sha256
from os_deploy.dense import DenseVectors
from os_deploy.indices import DENSE, VECTOR, vector_keys
from os_deploy.ingest import Document
from os_deploy.passages import Passage, corpus_file, read_passages
from os_deploy.tokens import ServerTokenizer
from os_deploy.vectors import Vector, read_vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the first reading found."""

    n_passages: int
    n_bytes: int
    """Of the files."""
    max_weight: float
    """The largest weight of a vector; 0 without vectors."""
    dense_dimensions: int
    """Of the dense vectors; 0 without any."""
    sha256: str
    """Of passages and all vectors together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Passages, and vectors where the client made them."""

    passages: Path
    vectors: Path | None
    tokenizer: ServerTokenizer
    field: str
    dense: DenseVectors | None = None

    def survey(self) -> Survey:
        """Reads everything once; InputError for what is wrong. Holds all ids in memory."""
        seen: set[str] = set()
        largest = 0.0
        for place, (passage, vector) in enumerate(self.rows()):
            if passage.doc_id in seen:
                raise InputError(
                    f"{corpus_file(self.passages)}: found the _id {passage.doc_id!r} twice, wanted unique ones"
                )
            seen.add(passage.doc_id)
            if vector is not None:
                largest = max(largest, *vector.weights.values(), 0.0)
            if self.dense is not None:
                self.dense.vector(passage.doc_id, place)
        if not seen:
            raise InputError(f"{corpus_file(self.passages)}: found no passage, wanted at least one")
        files = [corpus_file(self.passages), *([self.vectors] if self.vectors else [])]
        if self.dense is not None:
            self.dense.check_number(len(seen))
            files += self.dense.files
        return Survey(
            n_passages=len(seen),
            n_bytes=sum(f.stat().st_size for f in files),
            max_weight=largest,
            dense_dimensions=self.dense.dimensions if self.dense else 0,
            sha256=" ".join(sha256(f) for f in files),
        )

    def rows(self) -> Iterator[tuple[Passage, Vector | None]]:
        """Each passage with its vector; InputError where the two files do not go in step."""
        passages = read_passages(self.passages)
        if self.vectors is None:
            yield from ((passage, None) for passage in passages)
            return
        vectors = read_vectors(self.vectors, self.tokenizer)
        n_rows = 0
        for passage in passages:
            vector = next(vectors, None)
            n_rows += 1
            if vector is None or vector.doc_id != passage.doc_id:
                found = repr(vector.doc_id) if vector else "no more vectors"
                raise InputError(
                    f"{self.vectors}: row {n_rows}: found {found}, wanted the vector of passage {passage.doc_id!r}: "
                    f"encode these passages again"
                )
            yield passage, vector
        if (extra := next(vectors, None)) is not None:
            raise InputError(
                f"{self.vectors}: found {extra.doc_id!r} after the last of {n_rows} passages: encode them again"
            )

    def sample(self, n: int) -> list[tuple[Passage, Vector | None]]:
        """`n` rows spread evenly over all of them, fewer where there are fewer."""
        n_rows = sum(1 for _ in read_passages(self.passages)) if n else 0
        wanted = {i * n_rows // min(n, n_rows) for i in range(min(n, n_rows))}
        return [row for place, row in enumerate(self.rows() if wanted else ()) if place in wanted]

    def weights(self, rows: Iterable[tuple[Passage, Vector | None]]) -> Iterator[tuple[str, dict[str, float]]]:
        """doc_id and weights by decoded token of each row that has a vector."""
        for passage, vector in rows:
            if vector is not None:
                yield passage.doc_id, vector_keys("rank_features", self.tokenizer.keys, vector.weights)

    def documents(self) -> Iterator[Document]:
        """What is sent, in order."""
        encoder = msgspec.json.Encoder()
        for place, (passage, vector) in enumerate(self.rows()):
            source: dict[str, object] = {"title": passage.title, "text": passage.text, "metadata": passage.metadata}
            if vector is not None and vector.weights:
                source[VECTOR] = vector_keys(self.field, self.tokenizer.keys, vector.weights)
            if self.dense is not None:
                source[DENSE] = self.dense.vector(passage.doc_id, place)
            yield Document(passage.doc_id, encoder.encode(source))
