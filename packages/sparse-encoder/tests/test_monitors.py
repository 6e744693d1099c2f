import sys
from pathlib import Path

import pytest
from sparse_encoder.monitors import TensorBoard, WeightsAndBiases

ENTRIES = [
    {"step": 20, "loss": 0.5},
    {"step": 20, "val_ndcg_at_10": 0.25},
    {"step": 40, "loss": 0.125},
]


def test_tensorboard_reads_what_was_recorded(tmp_path: Path) -> None:
    monitor = TensorBoard(tmp_path)
    for entry in ENTRIES:
        monitor.record(entry)
    monitor.close()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(tmp_path))
    found.Reload()
    assert [(e.step, e.value) for e in found.Scalars("train/loss")] == [(20, 0.5), (40, 0.125)]
    assert [(e.step, e.value) for e in found.Scalars("val/ndcg_at_10")] == [(20, 0.25)]


def test_a_missing_wandb_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ImportError, match=r'pip install "sparse-encoder\[wandb\]"'):
        WeightsAndBiases("korean", folder=tmp_path, name="model")
    assert not list(tmp_path.iterdir())


def test_wandb_keeps_an_offline_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="the extra wandb is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monitor = WeightsAndBiases("korean", folder=tmp_path, name="model")
    for entry in ENTRIES:
        monitor.record(entry)
    monitor.close()
    assert list(tmp_path.rglob("*.wandb"))
