"""The measures of one run, query by query, computed by ir-measures.

Ties are broken here, as trec_eval does, before ir-measures sees the run: its providers break them differently.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import ir_measures
import numpy as np
from numpy.typing import NDArray

from sparse_eval.runs import Qrels, Run

MEASURES = {"nDCG@10": "nDCG@10", "MRR@10": "RR@10", "Recall@10": "R@10", "Recall@100": "R@100", "P@10": "P@10"}
"""Our name of each measure, as papers print it, and that of ir-measures."""

PRIMARY = "nDCG@10"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What every query scored."""

    query_ids: tuple[str, ...]
    """Sorted, so that two systems judged by the same qrels are aligned."""
    measures: tuple[str, ...]
    values: NDArray[np.float64]
    """(n_measures, n_queries)."""

    def of(self, measure: str) -> NDArray[np.float64]:
        """The values of one measure, by query."""
        row: NDArray[np.float64] = self.values[self.measures.index(measure)]
        return row


def judge(run: Run, qrels: Qrels) -> Judged:
    """Judges a run on every query of the qrels; a query that the run lacks scores 0, one without qrels is ignored.

    >>> found = judge({"q": ("b", "a")}, {"q": {"a": 1}})
    >>> {measure: round(float(found.of(measure)[0]), 4) for measure in found.measures}
    {'nDCG@10': 0.6309, 'MRR@10': 0.5, 'Recall@10': 1.0, 'Recall@100': 1.0, 'P@10': 0.1}
    """
    query_ids = tuple(sorted(qrels))
    columns = {query_id: column for column, query_id in enumerate(query_ids)}
    rows = {ir_measures.parse_measure(theirs): row for row, theirs in enumerate(MEASURES.values())}
    values = np.zeros((len(rows), len(query_ids)))
    for found in ir_measures.iter_calc(list(rows), _their_qrels(qrels), _their_run(run, qrels)):
        values[rows[found.measure], columns[found.query_id]] = found.value
    return Judged(query_ids=query_ids, measures=tuple(MEASURES), values=values)


def _their_qrels(qrels: Qrels) -> dict[str, dict[str, int]]:
    return {query_id: dict(judged) for query_id, judged in qrels.items()}


def _their_run(run: Run, qrels: Qrels) -> dict[str, dict[str, float]]:
    """Scores that say nothing but the rank, so that no provider meets a tie."""
    judged = (query_id for query_id in run if query_id in qrels)
    return {query_id: _by_rank(run[query_id]) for query_id in judged}


def _by_rank(ranked: Sequence[str]) -> dict[str, float]:
    return {doc_id: float(len(ranked) - rank) for rank, doc_id in enumerate(ranked)}
