"""Checkpoints of a training run: one safetensors file each, with everything the next step depends on.

Data order and everything random depend on the seed and the step's number alone, so weights, the optimizer's two
moments, a few numbers and the history so far are all there is to keep.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from sparse_encoder._files import InputError, whole
from sparse_encoder.identity import difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The state after `step` steps."""

    step: int
    identity: str
    """Of all settings and data, see `run_identity`; a checkpoint of others is refused."""
    tensors: Mapping[str, Tensor]
    history: list[dict[str, float]]
    numbers: Mapping[str, float] = field(default_factory=dict)
    """What else the next step depends on: guard, loss scale, the best evaluation so far."""


def write_checkpoint(checkpoint: Checkpoint, folder: Path) -> None:
    """Writes it whole, then removes the older ones."""
    file = folder / f"step-{checkpoint.step:08d}.safetensors"
    metadata = {
        "step": str(checkpoint.step),
        "identity": checkpoint.identity,
        "history": json.dumps(checkpoint.history),
        "numbers": json.dumps(dict(checkpoint.numbers)),
    }
    with whole(file) as part:
        save_file({n: t.detach().contiguous().cpu() for n, t in checkpoint.tensors.items()}, part, metadata=metadata)
    for old in sorted(folder.glob("step-*.safetensors"))[:-1]:
        old.unlink()


def read_checkpoint(folder: Path, identity: str) -> Checkpoint | None:
    """The newest checkpoint of the folder, or None where there is none; InputError if it is of another run."""
    files = sorted(folder.glob("step-*.safetensors"))
    if not files:
        return None
    try:
        with safe_open(files[-1], framework="pt") as data:
            metadata = data.metadata() or {}
            tensors = {name: data.get_tensor(name) for name in data.keys()}  # noqa: SIM118 - it is no mapping
    except SafetensorError as error:
        raise InputError(f"{files[-1]}: is not a checkpoint: {error}; remove {folder}") from error
    if not {"identity", "step", "history"} <= metadata.keys():
        raise InputError(f"{files[-1]}: is no checkpoint of ours; move it away, or give another --work")
    if metadata["identity"] != identity:
        named = difference(metadata["identity"], identity)
        raise InputError(
            f"{files[-1]}: is a checkpoint of other settings or data{': ' if named else ''}{named}; "
            f"remove {folder} to begin anew, or give another --work"
        )
    history = msgspec.json.decode(metadata["history"], type=list[dict[str, float]])
    numbers = msgspec.json.decode(metadata.get("numbers", "{}"), type=dict[str, float])
    return Checkpoint(step=int(metadata["step"]), identity=identity, tensors=tensors, history=history, numbers=numbers)
