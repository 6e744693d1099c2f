"""Where a run can be watched while it goes: TensorBoard and Weights & Biases."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol


class Monitor(Protocol):
    """Somebody who is told each entry of the history as it is made."""

    def record(self, entry: Mapping[str, float]) -> None:
        """An entry: its `step`, then losses or measures by name."""

    def close(self) -> None:
        """The run has ended, well or not."""


def has_tensorboard() -> bool:
    """Whether TensorBoard is installed."""
    return find_spec("tensorboard") is not None


class TensorBoard:
    """Event files in a folder; a run that goes on overwrites what came after its checkpoint."""

    def __init__(self, folder: Path) -> None:
        if not has_tensorboard():
            raise ImportError('TensorBoard is not installed: pip install "sparse-encoder[tensorboard]"')
        from torch.utils.tensorboard import SummaryWriter

        self._open = SummaryWriter
        self._folder = folder
        self._writer: SummaryWriter | None = None

    def record(self, entry: Mapping[str, float]) -> None:
        """Writes each number but the step as a curve; those of evaluations stand under `val/`."""
        step = int(entry["step"])
        if self._writer is None:
            self._writer = self._open(str(self._folder), purge_step=step)
        for name, value in entry.items():
            if name != "step":
                place = f"val/{name.removeprefix('val_')}" if name.startswith("val_") else f"train/{name}"
                self._writer.add_scalar(place, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Closes the files."""
        if self._writer is not None:
            self._writer.close()


class WeightsAndBiases:
    """A run of a Weights & Biases project; WANDB_MODE=offline keeps it in `folder`."""

    def __init__(self, project: str, *, folder: Path, name: str) -> None:
        try:
            import wandb
        except ImportError as error:
            raise ImportError('Weights & Biases is not installed: pip install "sparse-encoder[wandb]"') from error
        folder.mkdir(parents=True, exist_ok=True)
        self._run = wandb.init(project=project, name=name, dir=str(folder))

    def record(self, entry: Mapping[str, float]) -> None:
        """Logs the entry at its step."""
        numbers = {name: value for name, value in entry.items() if name != "step"}
        self._run.log(numbers, step=int(entry["step"]))

    def close(self) -> None:
        """Ends the run there."""
        self._run.finish()
