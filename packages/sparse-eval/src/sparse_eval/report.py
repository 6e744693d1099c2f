"""The report: one self-contained HTML page on how systems compare and on the queries where they differ.

No script, no font, no request: it opens from a disk or a mail, in light and dark, on a phone.
"""

import base64
from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from sparse_eval.explaining import Explained
from sparse_eval.markup import card, table
from sparse_eval.measuring import PRIMARY
from sparse_eval.names import FACT_NAMES, fact_text, p_text, slice_label
from sparse_eval.records import ALL, Comparison, Row, Test
from sparse_eval.report_queries import query_parts
from sparse_eval.table import known_facts, slice_names

SURE = 0.05
"""p-value below which a difference is said to hold."""

TEST_NOTE = (
    "Paired randomization test; 95 % bootstrap interval of the mean difference. "
    "Of twenty comparisons of equal systems, one is expected below p = 0.05."
)

CAPTIONS = {
    "quality.png": "Measures of every system",
    "by_slice.png": "nDCG@10 by slice",
    "efficiency.png": "Quality and cost",
}


def report_page(comparison: Comparison, explained: Explained | None, *, plots: Sequence[Path] = ()) -> str:
    """The whole page as HTML; where nothing was explained (None) it has no part on single queries."""
    style = files("sparse_eval").joinpath("report.css").read_text(encoding="utf-8")
    parts = [*_head(comparison), *_overall(comparison), *_by_slice(comparison), *_tests(comparison), *_figures(plots)]
    if explained:
        parts += query_parts(explained)
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Retrieval report</title>\n<style>\n{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _head(comparison: Comparison) -> Iterator[str]:
    rows = [comparison.row(system) for system in comparison.systems]
    best = max(rows, key=lambda row: row.measures[PRIMARY])
    yield "<h1>How the systems compare</h1>"
    yield f'<p class="lead">{_lead(len(rows), best)}</p>'
    cards = [(f"{best.measures[name]:.3f}", f"{name}, {best.system}") for name in best.measures]
    cards += [
        (fact_text(name, value), f"{FACT_NAMES.get(name, name)}, {best.system}") for name, value in best.facts.items()
    ]
    yield '<div class="cards">' + "".join(card(value, label) for value, label in cards) + "</div>"


def _lead(n_systems: int, best: Row) -> str:
    return f"{n_systems} systems on the same {best.n} queries. Best {PRIMARY}: {escape(best.system)}."


def _overall(comparison: Comparison) -> Iterator[str]:
    rows = [comparison.row(system) for system in comparison.systems]
    measures, facts = list(rows[0].measures), known_facts(comparison)
    best = {name: max(row.measures[name] for row in rows) for name in measures}
    yield "<h2>All queries</h2>"
    yield table(
        ["System", *measures, *(FACT_NAMES[name] for name in facts)],
        [
            [
                f"<td>{escape(row.system)}</td>",
                *(_measure_cell(row, name, best[name]) for name in measures),
                *(f"<td>{fact_text(name, row.facts.get(name))}</td>" for name in facts),
            ]
            for row in rows
        ],
    )
    yield '<p class="note">Small print: half the width of the 95 % bootstrap interval.</p>'


def _measure_cell(row: Row, name: str, best: float) -> str:
    value = row.measures[name]
    intervals = row.intervals if isinstance(row.intervals, dict) else {}
    spread = f" <small>±{(intervals[name][1] - intervals[name][0]) / 2:.3f}</small>" if name in intervals else ""
    marks = ["best"] if value == best else []
    style = ""
    if name == PRIMARY:
        marks.append("barred")
        style = f' style="--share:{100 * value:.1f}%"'
    return f'<td class="{" ".join(marks)}"{style}>{value:.3f}{spread}</td>'


def _by_slice(comparison: Comparison) -> Iterator[str]:
    names = slice_names(comparison)
    if len(names) < 2:
        return
    best = {name: max(comparison.row(s, name).measures[PRIMARY] for s in comparison.systems) for name in names}
    yield f"<h2>{PRIMARY} by language and kind of query</h2>"
    first = comparison.systems[0]
    heads = [f"{slice_label(name)} <small>n={comparison.row(first, name).n}</small>" for name in names]
    rows = []
    for system in comparison.systems:
        values = {name: comparison.row(system, name).measures[PRIMARY] for name in names}
        cells = [_slice_cell(value, best=best[name]) for name, value in values.items()]
        rows.append([f"<td>{escape(system)}</td>", *cells])
    yield table(["System", *heads], rows)


def _slice_cell(value: float, *, best: float) -> str:
    mark = " best" if value == best else ""
    return f'<td class="barred{mark}" style="--share:{100 * value:.1f}%">{value:.3f}</td>'


def _tests(comparison: Comparison) -> Iterator[str]:
    shown = [test for test in comparison.tests if test.slice == ALL and test.measure == PRIMARY]
    if not shown:
        return
    yield "<h2>Which differences hold</h2>"
    yield f'<p class="note">{PRIMARY} on all queries. {TEST_NOTE}</p>'
    yield table(["Better", "Than", "Difference", "95 % interval", "p", "Holds"], [_test_row(test) for test in shown])


def _test_row(test: Test) -> list[str]:
    holds = '<td class="yes">yes</td>' if test.p_value < SURE else '<td class="no">not shown</td>'
    return [
        f"<td>{escape(test.better)}</td>",
        f'<td class="name">{escape(test.than)}</td>',
        f"<td>{test.difference:+.3f}</td>",
        f"<td>{test.low:+.3f} to {test.high:+.3f}</td>",
        f"<td>{escape(p_text(test.p_value))}</td>",
        holds,
    ]


def _figures(plots: Sequence[Path]) -> Iterator[str]:
    if plots:
        yield "<h2>Pictures</h2>"
    for path in plots:
        data = base64.b64encode(path.read_bytes()).decode()
        caption = CAPTIONS.get(path.name, path.stem)
        yield f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{data}"></figure>'
