import sys
from pathlib import Path

import pytest
from sparse_encoder._files import InputError
from sparse_encoder.curve import draw_curve
from sparse_encoder.history import read_history


def test_the_golden_history_is_drawn_the_same_twice(golden: Path, tmp_path: Path) -> None:
    entries = read_history(golden / "training_history.json")
    for name in ("a.png", "b.png"):
        draw_curve(entries, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_history_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no entry to draw"):
        draw_curve([], tmp_path / "a.png")


def test_a_missing_matplotlib_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'pip install "sparse-encoder\[plot\]"'):
        draw_curve([{"step": 1}], tmp_path / "a.png")


def test_an_entry_without_its_step_is_named(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text('{"format": "training_history", "version": 1, "entries": [{"loss": 1.0}]}')
    with pytest.raises(InputError, match=r"h\.json: 'step' is missing in entries\[0\]"):
        read_history(tmp_path / "h.json")
