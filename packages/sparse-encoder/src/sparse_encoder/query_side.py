"""The query side of a model folder: tokens times IDF, without torch and in microseconds."""

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
from sparse_encoder.vectors import Vector
from sparse_encoder.vocabulary import Vocabulary, read_vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySide:
    """A tokenizer and the weight of each of its tokens."""

    vocabulary: Vocabulary
    idf: NDArray[np.float32]
    max_tokens: int = 512

    def encode(self, queries: Sequence[tuple[str, str]]) -> list[Vector]:
        """Vectors of (id, text) queries: each distinct token once, at its weight; tokens that weigh 0 are left out."""
        found = self.vocabulary.encode([text for _, text in queries], max_tokens=self.max_tokens, special=False)
        return [self._vector(name, ids) for (name, _), ids in zip(queries, found, strict=True)]

    def _vector(self, name: str, ids: Sequence[int]) -> Vector:
        kept = np.array(sorted(i for i in set(ids) if self.idf[i] > 0), dtype=np.int32)
        return Vector(id=name, token_ids=kept, weights=self.idf[kept])


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
    return QuerySide(vocabulary=vocabulary, idf=idf.astype(np.float32))


def write_idf(side: QuerySide, path: Path) -> None:
    """Writes OpenSearch's `idf.json` of all tokens but the special ones, spelt as they are, NFC or not."""
    special = set(side.vocabulary.special_ids)
    weights = [float(np.format_float_positional(w, unique=True)) for w in side.idf]
    table = {t: weights[i] for i, t in enumerate(side.vocabulary.tokens) if i not in special}
    with whole(path) as part:
        part.write_text(json.dumps(table, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="\n")
