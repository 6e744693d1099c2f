"""The query side of a model folder or an export: tokens times IDF, without torch and in microseconds."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from sparse_encoder._files import InputError, whole
from sparse_encoder.layouts import INFERENCE_FREE
from sparse_encoder.limits import read_export_limits, read_max_active_terms, read_max_tokens
from sparse_encoder.pruning import Pruning, prune_terms
from sparse_encoder.vectors import Vector
from sparse_encoder.vocabulary import Vocabulary, read_idf, read_vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySide:
    """A tokenizer and the weight of each of its tokens."""

    vocabulary: Vocabulary
    idf: NDArray[np.float32]
    max_tokens: int
    """Of a text, counted from its start and without special tokens."""
    max_active_terms: int
    """At most so many, the heaviest, as sentence-transformers keeps: its limit holds for queries too."""

    def encode(self, queries: Sequence[tuple[str, str]]) -> list[Vector]:
        """Vectors of (id, text) queries: each distinct token once, at its weight; tokens that weigh 0 are left out.

        At equal weight the smaller id stays, where sentence-transformers leaves that to torch.
        """
        found = self.vocabulary.encode([text for _, text in queries], max_tokens=self.max_tokens, special=False)
        return [self._vector(name, ids) for (name, _), ids in zip(queries, found, strict=True)]

    def _vector(self, name: str, ids: Sequence[int]) -> Vector:
        own = np.array(sorted(set(ids)), dtype=np.int32)
        kept, weights = prune_terms(own, self.idf[own], Pruning(top_k=self.max_active_terms))
        return Vector(id=name, token_ids=kept, weights=weights)


def read_query_side(path: Path) -> QuerySide:
    """Reads the query side of a model folder."""
    folder = path / INFERENCE_FREE.query
    try:
        idf = load_file(folder / "model.safetensors")["weight"]
    except (FileNotFoundError, KeyError, SafetensorError) as error:
        raise InputError(f"{folder}: is no inference-free query side; wanted a model folder of this package") from error
    vocabulary = read_vocabulary(folder)
    if len(idf) != len(vocabulary.tokens):
        raise InputError(f"{folder}: {len(idf)} weights for {len(vocabulary.tokens)} tokens; wanted as many")
    return QuerySide(
        vocabulary=vocabulary,
        idf=idf.astype(np.float32),
        max_tokens=read_max_tokens(folder),
        max_active_terms=read_max_active_terms(path, n_tokens=len(idf)),
    )


def read_exported_query_side(path: Path) -> QuerySide:
    """Reads the query side of an export folder: the vectors are those of the model that was exported."""
    if not (path / "idf.json").is_file():
        raise InputError(
            f"{path}: holds no idf.json: its model encodes queries by a network; give the model folder for queries"
        )
    vocabulary = read_vocabulary(path)
    idf = np.array(read_idf(path / "idf.json", vocabulary), dtype=np.float32)
    limits = read_export_limits(path)
    return QuerySide(
        vocabulary=vocabulary,
        idf=idf,
        max_tokens=limits.max_tokens,
        max_active_terms=limits.max_active_terms or len(idf),
    )


def write_idf(side: QuerySide, path: Path) -> None:
    """Writes OpenSearch's `idf.json` of all tokens but the special ones, spelt as they are, NFC or not."""
    special = set(side.vocabulary.special_ids)
    weights = [float(np.format_float_positional(w, unique=True)) for w in side.idf]
    table = {t: weights[i] for i, t in enumerate(side.vocabulary.tokens) if i not in special}
    with whole(path) as part:
        part.write_text(json.dumps(table, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="\n")
