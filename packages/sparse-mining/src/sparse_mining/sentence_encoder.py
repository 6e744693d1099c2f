"""Dense vectors by any sentence-transformers model.

The header says all that decides a vector, so that queries are encoded later as they were with the passages.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np

from sparse_mining._files import InputError, check_version, read_json, write_json
from sparse_mining.arrays import Matrix, unit_rows
from sparse_mining.sentence_models import sentence_transformers


class _Model(Protocol):
    def encode(self, texts: Sequence[str], *, batch_size: int, show_progress_bar: bool) -> Matrix: ...


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What `encoder.json` says."""

    format: str = "sentence_encoder"
    version: int = 1
    model: str
    """A folder, or a name on the hub."""
    query_prefix: str
    document_prefix: str
    normalised: bool
    """Vectors are of length 1."""


class SentenceEncoder:
    """A model and what goes before texts; the model is loaded when the first text is encoded."""

    def __init__(self, header: Header, *, batch_size: int = 32) -> None:
        self.header = header
        self._batch_size = batch_size

    def encode(self, texts: Sequence[str]) -> Matrix:
        """(n, dimensions): the vectors of queries."""
        return self._encode([self.header.query_prefix + text for text in texts])

    def encode_documents(self, texts: Sequence[str]) -> Matrix:
        """(n, dimensions): the vectors of passages."""
        return self._encode([self.header.document_prefix + text for text in texts])

    def save(self, folder: Path) -> None:
        """Writes `encoder.json` into a folder that it makes; the model stays where it is."""
        folder.mkdir(parents=True)
        write_json(folder / "encoder.json", self.header)

    def _encode(self, texts: Sequence[str]) -> Matrix:
        found = self._model.encode(texts, batch_size=self._batch_size, show_progress_bar=False)
        vectors = np.asarray(found, np.float32).reshape(len(texts), -1)
        bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(bad):
            raise InputError(f"{self.header.model}: gives a vector that is not finite for {texts[bad[0]][:80]!r}")
        return unit_rows(vectors) if self.header.normalised else vectors

    @cached_property
    def _model(self) -> _Model:
        name = self.header.model
        try:
            model: _Model = sentence_transformers().SentenceTransformer(name)
        except (OSError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise InputError(f"{name}: cannot be loaded as a sentence-transformers model: {reason}") from error
        return model


def load(folder: Path) -> SentenceEncoder:
    """Reads what `save` wrote."""
    header = read_json(folder / "encoder.json", Header)
    check_version(folder / "encoder.json", header.format, header.version)
    return SentenceEncoder(header)
