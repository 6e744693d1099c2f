"""How many tokens of a text count and how many terms a vector keeps, as a folder says. Light: no torch here.

sentence-transformers holds queries and documents to the same two numbers, so whoever encodes either reads them here.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from sparse_encoder._files import InputError, read_json

EXPORT_REPORT = "export_report.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLimits:
    """Those of an export folder."""

    max_tokens: int
    max_active_terms: int
    """0 where an earlier release wrote the folder, which did not say."""


class _TokenizerConfig(msgspec.Struct, kw_only=True):
    model_max_length: float = 1e30
    """What transformers takes for no limit."""


class _Truncation(msgspec.Struct, kw_only=True):
    max_length: int


class _Tokenizer(msgspec.Struct, kw_only=True):
    truncation: _Truncation | None = None


class _Report(msgspec.Struct, kw_only=True):
    max_active_terms: int = 0


class _EncoderConfig(msgspec.Struct, kw_only=True):
    max_active_dims: int | None = None


def read_max_tokens(folder: Path) -> int:
    """Tokens of a text that the tokenizer in a folder keeps."""
    return int(read_json(folder / "tokenizer_config.json", _TokenizerConfig).model_max_length)


def read_max_active_terms(path: Path, *, n_tokens: int) -> int:
    """Terms that a vector of a model folder keeps: all `n_tokens` of the vocabulary where it names no number."""
    return read_json(path / "config_sentence_transformers.json", _EncoderConfig).max_active_dims or n_tokens


def read_export_limits(folder: Path) -> ExportLimits:
    """The limits of an export folder, or of graphs made on the way, which have no report."""
    file, report = folder / "tokenizer.json", folder / EXPORT_REPORT
    truncation = read_json(file, _Tokenizer).truncation
    if truncation is None:
        raise InputError(f"{file}: has no truncation; wanted an export of this package, which keeps the model's limit")
    n_terms = read_json(report, _Report).max_active_terms if report.is_file() else 0
    return ExportLimits(max_tokens=truncation.max_length, max_active_terms=n_terms)
