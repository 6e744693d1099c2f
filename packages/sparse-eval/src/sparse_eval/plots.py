"""Three pictures of a comparison: quality, quality by slice, and what quality costs.

Drawn without pyplot, so that no state and no window is behind them; the same comparison gives the same bytes.
"""

from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from sparse_eval.measuring import PRIMARY
from sparse_eval.names import slice_label
from sparse_eval.records import Comparison, Row
from sparse_eval.table import slice_names

INK, MUTED, GRID, PAPER = "#1f2937", "#6b7280", "#e5e7eb", "#ffffff"
BAR, BEST = "#a9bcd3", "#1d4ed8"
DPI = 160

PLOTS: dict[str, Callable[[Comparison], Figure]]
"""The function that draws each file; filled in below, where they are defined."""


def write_plots(folder: Path, comparison: Comparison) -> list[Path]:
    """Writes quality.png, by_slice.png and efficiency.png into a folder that exists, and returns their paths."""
    paths = []
    for name, draw in PLOTS.items():
        path = folder / name
        figure = draw(comparison)
        FigureCanvasAgg(figure)
        figure.savefig(path, format="png", metadata={"Software": None})
        paths.append(path)
    return paths


def draw_quality(comparison: Comparison) -> Figure:
    """A panel a measure, a bar a system in the order given, with its 95 % interval; the best is coloured."""
    rows = [comparison.row(system) for system in comparison.systems]
    measures = list(rows[0].measures)
    n_columns = min(3, len(measures))
    n_lines = ceil(len(measures) / n_columns)
    figure = _figure(11.0, 0.95 + n_lines * (0.75 + 0.34 * len(rows)))
    axes = figure.subplots(n_lines, n_columns, sharey=True, squeeze=False)
    for panel, name in zip(axes.flat, measures, strict=False):
        _draw_measure(panel, rows, name)
    for panel in axes.flat[len(measures) :]:
        panel.axis("off")
    figure.suptitle(f"Retrieval quality, {rows[0].n} queries", x=0.01, ha="left", color=INK, fontsize=14, weight="bold")
    figure.text(0.99, 0.01, "whiskers: 95 % bootstrap interval", ha="right", color=MUTED, fontsize=8)
    figure.tight_layout(rect=(0, 0.03, 1, 1), h_pad=1.8, w_pad=1.6)
    return figure


def draw_by_slice(comparison: Comparison) -> Figure:
    """nDCG@10 of every system on every slice as a shaded table; the best of each slice is bold."""
    names = slice_names(comparison)
    values = [[comparison.row(s, name).measures[PRIMARY] for name in names] for s in comparison.systems]
    figure = _figure(max(6.5, 2.6 + 1.12 * len(names)), 1.9 + 0.46 * len(values))
    panel = figure.subplots()
    shades = colormaps["Blues"]
    top = max(max(row) for row in values) or 1.0
    panel.imshow(values, cmap=shades, vmin=0.0, vmax=top * 1.1, aspect="auto")
    for column in range(len(names)):
        best = max(row[column] for row in values)
        for line, row in enumerate(values):
            ink = PAPER if row[column] > 0.6 * top else INK
            weight = "bold" if row[column] == best else "normal"
            panel.text(
                column, line, f"{row[column]:.3f}", ha="center", va="center", color=ink, weight=weight, fontsize=10
            )
    first = comparison.systems[0]
    panel.set_xticks(range(len(names)), [f"{slice_label(n)}\nn={comparison.row(first, n).n}" for n in names])
    panel.set_yticks(range(len(values)), comparison.systems)
    panel.xaxis.tick_top()
    panel.tick_params(length=0, labelsize=10, colors=INK)
    panel.spines[:].set_visible(False)
    panel.set_xticks([x - 0.5 for x in range(1, len(names))], minor=True)
    panel.set_yticks([y - 0.5 for y in range(1, len(values))], minor=True)
    panel.grid(which="minor", color=PAPER, linewidth=2)
    panel.tick_params(which="minor", length=0)
    figure.suptitle(
        f"{PRIMARY} by language and kind of query", x=0.02, ha="left", color=INK, fontsize=14, weight="bold"
    )
    figure.tight_layout()
    return figure


def draw_efficiency(comparison: Comparison) -> Figure:
    """nDCG@10 against milliseconds a query and against active terms of a document, for the systems that have them."""
    rows = [comparison.row(system) for system in comparison.systems]
    figure = _figure(11.0, 4.6)
    times, terms = figure.subplots(1, 2, sharey=True)
    _draw_cost(times, rows, "query_ms", "milliseconds per query (log scale)")
    _draw_cost(terms, rows, "document_active_terms", "active terms per document")
    times.set_ylabel(PRIMARY, color=INK, fontsize=11)
    figure.suptitle("What quality costs", x=0.01, ha="left", color=INK, fontsize=14, weight="bold")
    figure.text(0.99, 0.955, "better is up and to the left", ha="right", color=MUTED, fontsize=9)
    figure.tight_layout(rect=(0, 0, 1, 1), w_pad=2.0)
    return figure


PLOTS = {"quality.png": draw_quality, "by_slice.png": draw_by_slice, "efficiency.png": draw_efficiency}


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), dpi=DPI, facecolor=PAPER)


def _draw_measure(panel: Axes, rows: Sequence[Row], name: str) -> None:
    values = [row.measures[name] for row in rows]
    best = max(values)
    colours = [BEST if value == best else BAR for value in values]
    places = range(len(rows))
    panel.barh(places, values, color=colours, height=0.66)
    ends = [_interval(row, name) for row in rows]
    errors = [
        [value - low for value, (low, _) in zip(values, ends, strict=True)],
        [high - value for value, (_, high) in zip(values, ends, strict=True)],
    ]
    panel.errorbar(values, places, xerr=errors, fmt="none", ecolor=INK, elinewidth=1, capsize=2.5, alpha=0.75)
    for place, value, (_, high) in zip(places, values, ends, strict=True):
        weight = "bold" if value == best else "normal"
        text = panel.annotate(f"{value:.3f}", (high, place), xytext=(5, 0), textcoords="offset points", va="center")
        text.set(color=INK, fontsize=9, weight=weight)
    panel.set_xlim(0, max(high for _, high in ends) * 1.2 or 1.0)
    panel.set_yticks(places, [row.system for row in rows])
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.set_title(name, loc="left", color=INK, fontsize=11, weight="bold")
    panel.xaxis.set_major_locator(FixedLocator(_ticks(max(high for _, high in ends))))
    panel.grid(axis="x", color=GRID, linewidth=0.8)
    _clean(panel)
    panel.spines["bottom"].set_visible(False)


def _draw_cost(panel: Axes, rows: Sequence[Row], fact: str, label: str) -> None:
    known = [(row, cost) for row in rows if (cost := row.facts.get(fact)) is not None]
    panel.set_xlabel(label, color=INK, fontsize=10)
    _clean(panel)
    panel.grid(color=GRID, linewidth=0.8)
    panel.tick_params(labelleft=True)
    if not known:
        panel.text(0.5, 0.5, "not measured", transform=panel.transAxes, ha="center", color=MUTED, fontsize=11)
        panel.set_xticks([])
        return
    best = max(row.measures[PRIMARY] for row, _ in known)
    for row, cost in known:
        value = row.measures[PRIMARY]
        low, high = _interval(row, PRIMARY)
        colour = BEST if value == best else MUTED
        panel.errorbar([cost], [value], yerr=[[value - low], [high - value]], color=colour, alpha=0.35, elinewidth=1.2)
        panel.scatter([cost], [value], s=58, color=colour, zorder=3, edgecolor=PAPER, linewidth=1)
    if fact == "query_ms" and min(cost for _, cost in known) > 0:
        costs = [cost for _, cost in known]
        panel.set_xscale("log")
        panel.set_xlim(min(costs) / 1.6, max(costs) * (max(costs) / min(costs)) ** 0.25 * 1.6)
        panel.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    else:
        panel.set_xlim(0, max(cost for _, cost in known) * 1.3 or 1.0)
    panel.margins(y=0.12)
    _label_points(panel, [(cost, row.measures[PRIMARY], row.system) for row, cost in known])


def _label_points(panel: Axes, points: Sequence[tuple[float, float, str]]) -> None:
    """Writes each point's name beside it, moved up where names would lie on each other."""
    taken: list[tuple[float, float]] = []
    for cost, value, name in sorted(points, key=lambda point: (point[1], point[0])):
        x, y = panel.transData.transform((cost, value))
        shift = 0.0
        while any(abs(x - other_x) < 150 and abs(y + shift - other_y) < 24 for other_x, other_y in taken):
            shift += 6.0
        taken.append((x, y + shift))
        beside = (8, shift * 72 / DPI)
        panel.annotate(
            name, (cost, value), xytext=beside, textcoords="offset points", va="center", color=INK, fontsize=9
        )


def _ticks(top: float) -> list[float]:
    """Four or five round numbers from 0 to about `top`."""
    step = next((s for s in (0.01, 0.02, 0.025, 0.05, 0.1, 0.2, 0.25) if top / s <= 4.4), 0.25)
    return [step * n for n in range(int(top / step + 0.02) + 1)]


def _interval(row: Row, name: str) -> tuple[float, float]:
    intervals = row.intervals if isinstance(row.intervals, dict) else {}
    return intervals.get(name, (row.measures[name], row.measures[name]))


def _clean(panel: Axes) -> None:
    panel.set_axisbelow(True)
    panel.tick_params(length=0, labelsize=9, colors=INK)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.spines["bottom"].set_color(GRID)
