"""The comparison as text: what a terminal shows and what a note can hold."""

from collections.abc import Iterable, Iterator, Sequence

from sparse_eval.facts import FACTS
from sparse_eval.measuring import PRIMARY
from sparse_eval.names import FACT_NAMES, fact_text, p_text, slice_label
from sparse_eval.records import ALL, Comparison, Metrics


def comparison_table(comparison: Comparison) -> str:
    """Markdown tables: systems by measure and cost, systems by slice, and the tests on nDCG@10 over all queries."""
    parts = [_systems(comparison)]
    if len(slice_names(comparison)) > 1:
        parts.append(_slices(comparison))
    if comparison.tests:
        parts.append(_tests(comparison))
    return "\n\n".join(parts)


def metrics_table(metrics: Metrics) -> str:
    """Markdown table of one system: slices by measure, with half the interval's width."""
    measures = list(dict.fromkeys(row.measure for row in metrics.measures))
    names = _by_label(row.slice for row in metrics.measures)
    rows = []
    for name in names:
        found = {row.measure: row for row in metrics.measures if row.slice == name}
        cells = [f"{found[m].value:.3f} ±{(found[m].high - found[m].low) / 2:.3f}" for m in measures if m in found]
        rows.append([slice_label(name), str(found[measures[0]].n), *cells])
    return markdown([metrics.system, "n", *measures], rows)


def slice_names(comparison: Comparison) -> list[str]:
    """The slices to show, in order: of several with one label, as `lang=en` and `kind=english`, the first."""
    return _by_label(row.slice for row in comparison.rows)


def known_facts(comparison: Comparison) -> list[str]:
    """The facts that any system has, in the order in which they are shown."""
    found = {name for row in comparison.rows for name in row.facts}
    return [name for name in FACTS if name in found]


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns line up; all but the first are set to the right.

    >>> print(markdown(["system", "nDCG@10"], [["v1", "0.5"]]))
    | system | nDCG@10 |
    |:-------|--------:|
    | v1     |     0.5 |
    """
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    rule = [f":{'-' * (width + 1)}" if column == 0 else f"{'-' * (width + 1)}:" for column, width in enumerate(widths)]
    lines = [_line(head, widths), f"|{'|'.join(rule)}|", *(_line(row, widths) for row in rows)]
    return "\n".join(lines)


def _by_label(slices: Iterable[str]) -> list[str]:
    names: dict[str, str] = {}
    for name in slices:
        names.setdefault(slice_label(name), name)
    return list(names.values())


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return f"| {' | '.join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])} |"


def _systems(comparison: Comparison) -> str:
    facts = known_facts(comparison)
    overall = [comparison.row(system) for system in comparison.systems]
    measures = list(overall[0].measures)
    rows = [
        [
            row.system,
            *(f"{row.measures[name]:.3f}" for name in measures),
            *(fact_text(name, row.facts.get(name)) for name in facts),
        ]
        for row in overall
    ]
    return markdown([f"all queries (n={overall[0].n})", *measures, *(FACT_NAMES[name] for name in facts)], rows)


def _slices(comparison: Comparison) -> str:
    names = slice_names(comparison)
    first = comparison.systems[0]
    head = [f"{PRIMARY} by slice", *(f"{slice_label(name)} ({comparison.row(first, name).n})" for name in names)]
    rows = [
        [system, *(f"{comparison.row(system, name).measures[PRIMARY]:.3f}" for name in names)]
        for system in comparison.systems
    ]
    return markdown(head, rows)


def _tests(comparison: Comparison) -> str:
    return markdown([f"{PRIMARY}, all queries", "difference", "95 % interval", "p"], list(_test_rows(comparison)))


def _test_rows(comparison: Comparison) -> Iterator[list[str]]:
    for test in comparison.tests:
        if test.slice == ALL and test.measure == PRIMARY:
            interval = f"{test.low:+.3f} to {test.high:+.3f}"
            yield [f"{test.better} over {test.than}", f"{test.difference:+.3f}", interval, p_text(test.p_value)]
