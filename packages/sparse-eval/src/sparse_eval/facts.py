"""What a system costs, gathered from the files that know it: vectors and timings."""

from collections.abc import Mapping
from pathlib import Path

from sparse_eval.records import read_timing
from sparse_eval.sparsity import check_same_vocabulary, flops, read_term_use

FACTS = ("document_active_terms", "query_active_terms", "flops", "query_ms")
"""The names of facts, in the order in which they are shown."""


def gather_facts(*, vectors: Path | None, query_vectors: Path | None, timing: Path | None) -> dict[str, float | None]:
    """The facts that the files given (None: not given) tell, in the order of FACTS; FLOPS need both vectors."""
    documents = read_term_use(vectors) if vectors else None
    queries = read_term_use(query_vectors) if query_vectors else None
    facts: dict[str, float | None] = {}
    if documents:
        facts["document_active_terms"] = round(documents.active_terms, 4)
    if queries:
        facts["query_active_terms"] = round(queries.active_terms, 4)
    if vectors and documents and query_vectors and queries:
        check_same_vocabulary(query_vectors, queries, vectors, documents)
        facts["flops"] = round(flops(queries, documents), 4)
    if timing:
        facts["query_ms"] = read_timing(timing).query_ms
    return facts


def merge_facts(first: Mapping[str, float | None], second: Mapping[str, float | None]) -> dict[str, float | None]:
    """The facts of both, the second's where both tell, known names first.

    >>> merge_facts({"query_ms": 1.0, "x": 2.0}, {"flops": 0.5, "query_ms": 3.0})
    {'flops': 0.5, 'query_ms': 3.0, 'x': 2.0}
    """
    both = {**first, **second}
    known = {name: both[name] for name in FACTS if name in both}
    return {**known, **{name: value for name, value in both.items() if name not in known}}
