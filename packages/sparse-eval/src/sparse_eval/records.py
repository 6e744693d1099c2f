"""The records that sparse-eval reads and writes, one class per format of docs/formats.

Everything that crosses a file is here, so that whoever asks "what is in this file" opens one module.
"""

from pathlib import Path
from typing import Literal

import msgspec

from sparse_eval._files import InputError, check_version, read_json, read_jsonl

ALL = "all"
"""The slice that holds every query."""


class MeasureRow(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of one slice."""

    measure: str
    slice: str
    """`all`, or `<field>=<value>` of the queries' metadata."""
    value: float
    """Mean over the slice's queries."""
    low: float
    """Lower end of the 95 % bootstrap interval."""
    high: float
    n: int
    """Queries."""


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """How good one system is and what it costs."""

    format: Literal["metrics"] = "metrics"
    version: int = 1
    system: str
    measures: tuple[MeasureRow, ...]
    facts: dict[str, float | None]
    """document_active_terms, query_active_terms, flops, query_ms: those that are known."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One system on one slice."""

    system: str
    slice: str
    n: int
    measures: dict[str, float]
    intervals: dict[str, tuple[float, float]] | msgspec.UnsetType = msgspec.UNSET
    """95 % bootstrap interval of each measure."""
    facts: dict[str, float | None]


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """One paired test of two systems on one measure and slice."""

    __test__ = False  # pytest would collect it

    better: str
    """The system with the higher mean; of equals the one given later."""
    than: str
    measure: str
    slice: str
    difference: float
    low: float
    """Lower end of the difference's 95 % bootstrap interval."""
    high: float
    p_value: float
    n: int
    test: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Systems side by side, and which differences hold."""

    format: Literal["comparison"] = "comparison"
    version: int = 1
    systems: tuple[str, ...]
    rows: tuple[Row, ...]
    tests: tuple[Test, ...]

    def row(self, system: str, slice_name: str = ALL) -> Row:
        """The row of a system and slice; KeyError where there is none."""
        for row in self.rows:
            if row.system == system and row.slice == slice_name:
                return row
        raise KeyError((system, slice_name))


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """What a search cost."""

    format: Literal["timing"] = "timing"
    version: int = 1
    system: str
    n_queries: int
    n_documents: int
    query_ms: float
    analysis_ms: float
    search_ms: float


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A query as BEIR's queries.jsonl has it."""

    id: str = msgspec.field(name="_id")
    text: str
    metadata: dict[str, str | int | float | bool | None] = {}


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A passage as BEIR's corpus.jsonl has it; what else the line holds is not needed here."""

    id: str = msgspec.field(name="_id")
    title: str = ""
    text: str


def read_queries(path: Path) -> dict[str, Query]:
    """Reads queries by id, in the file's order; InputError where an id repeats."""
    queries: dict[str, Query] = {}
    for query in read_jsonl(path, Query):
        if query.id in queries:
            raise InputError(f"{path}: the query {query.id!r} is there twice: wanted each _id once")
        queries[query.id] = query
    return queries


def read_passages(path: Path, wanted: frozenset[str]) -> dict[str, Passage]:
    """Reads the wanted passages of a BEIR folder, or of a corpus.jsonl, by id."""
    file = path / "corpus.jsonl" if path.is_dir() else path
    return {passage.id: passage for passage in read_jsonl(file, Passage) if passage.id in wanted}


def read_metrics(path: Path) -> Metrics:
    """Reads the metrics of one system."""
    metrics = read_json(path, Metrics)
    check_version(path, "metrics", metrics.version)
    return metrics


def read_timing(path: Path) -> Timing:
    """Reads what a search cost."""
    timing = read_json(path, Timing)
    check_version(path, "timing", timing.version)
    return timing


def read_comparison(path: Path) -> Comparison:
    """Reads a comparison; InputError where a system has no row for all queries."""
    comparison = read_json(path, Comparison)
    check_version(path, "comparison", comparison.version)
    return comparison
