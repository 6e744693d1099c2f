"""Plots: three pictures, the same bytes every time, whatever is missing."""

from pathlib import Path

from conftest import QRELS
from sparse_eval.comparison import Draws, System, compare
from sparse_eval.plots import draw_efficiency, draw_quality, write_plots
from sparse_eval.records import Comparison, read_comparison


def test_three_pictures_are_the_same_bytes_every_time(comparison: Comparison, tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        written.append([path.read_bytes() for path in write_plots(tmp_path / name, comparison)])
    assert [path.name for path in sorted((tmp_path / "one").iterdir())] == [
        "by_slice.png",
        "efficiency.png",
        "quality.png",
    ]
    assert written[0] == written[1]
    assert all(data.startswith(b"\x89PNG") and b"matplotlib" not in data.lower() for data in written[0])


def test_a_panel_a_measure_with_a_bar_a_system(comparison: Comparison) -> None:
    figure = draw_quality(comparison)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["nDCG@10", "MRR@10", "Recall@10", "Recall@100", "P@10", ""]
    assert [len(axes.patches) for axes in figure.axes[:5]] == [2] * 5


def test_costs_that_nobody_measured_are_said_to_be_missing(systems: list[System]) -> None:
    bare = compare([System(name=s.name, run=s.run) for s in systems], QRELS, draws=Draws(n_resamples=100))
    shown = [text.get_text() for axes in draw_efficiency(bare).axes for text in axes.texts]
    assert shown == ["not measured", "not measured"]


def test_a_comparison_without_intervals_is_drawn_too(golden: Path, tmp_path: Path) -> None:
    found = read_comparison(golden / "comparison.json")
    alone = Comparison(systems=("bm25",), rows=found.rows, tests=())
    assert len(write_plots(tmp_path, alone)) == 3
