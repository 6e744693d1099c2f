"""A model folder at half its size: matrices in fp16, tokenizers without indentation, everything else as it was.

`config.json` goes on saying float32, so that transformers, as `read_model` does, computes in it: fp16 products are
slow on a CPU and would round every layer's result, not only the weights.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from sparse_encoder._files import InputError, read_json, whole
from sparse_encoder.model_folder import read_model
from sparse_encoder.output_folder import check_output_folder

BACKBONE_BYTES = 1 << 20
"""Safetensors smaller than this stay as they are: query weights and gates gain nothing and lose digits."""


class Shrunk(msgspec.Struct, frozen=True, kw_only=True):
    """What a shipped folder weighs, and what that cost."""

    n_bytes_before: int
    n_bytes: int
    largest_rounding: float
    """The largest change of a weight, against the weight, of those above 1e-3."""


def shrink(model: Path, output: Path, *, largest_bytes: int) -> Shrunk:
    """Copies the folder `model` to `output` with its backbone in fp16; InputError above `largest_bytes`.

    What was written is read as a model before it becomes the output.
    """
    if not (model / "modules.json").is_file():
        raise InputError(f"{model}: is not a model folder: no modules.json")
    check_output_folder(output, inputs=[model])
    with whole(output) as part:
        shutil.copytree(model, part)
        try:
            roundings = [_halve(file) for file in sorted(part.rglob("*.safetensors")) if _is_large(file)]
            for file in part.rglob("tokenizer.json"):
                _compact(file)
            read_model(part)
        except InputError as error:
            raise InputError(str(error).replace(str(part), str(model))) from error
        n_bytes = size(part)
        if n_bytes > largest_bytes:
            raise InputError(
                f"{model}: is {n_bytes / 1e6:.1f} MB in fp16; wanted at most {largest_bytes / 1e6:.1f}: train with a "
                f"smaller vocabulary or size"
            )
    return Shrunk(n_bytes_before=size(model), n_bytes=n_bytes, largest_rounding=max(roundings, default=0.0))


def size(folder: Path) -> int:
    """Bytes of all files of a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _is_large(file: Path) -> bool:
    return file.stat().st_size >= BACKBONE_BYTES


def _halve(file: Path) -> float:
    try:
        with safe_open(file, framework="numpy") as tensors:
            metadata: Mapping[str, str] = tensors.metadata() or {}
            found = {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError, TypeError) as error:
        raise InputError(f"{file}: is not a safetensors file that numpy reads: {error}") from error
    halved = {name: _rounded(name, values) for name, values in found.items()}
    save_file(halved, file, metadata=dict(metadata))
    file.chmod(0o644)
    return max(_rounding(found[name], halved[name]) for name in found)


def _rounded(name: str, values: NDArray[np.generic]) -> NDArray[np.generic]:
    if values.dtype not in (np.float32, np.float64):
        return values
    largest = float(np.abs(values).max(initial=0.0))
    if not largest <= float(np.finfo(np.float16).max):
        raise InputError(f"the tensor {name!r} holds {largest:.4g}, which fp16 cannot; wanted at most 65504")
    return values.astype(np.float16)


def _rounding(before: NDArray[np.generic], after: NDArray[np.generic]) -> float:
    if before.dtype == after.dtype:
        return 0.0
    counted = np.abs(before) > 1e-3  # smaller ones are subnormal in fp16 and matter to nobody
    change = np.abs(before.astype(np.float64) - after.astype(np.float64))[counted]
    return float((change / np.abs(before[counted])).max(initial=0.0))


def _compact(file: Path) -> None:
    tokenizer = read_json(file, dict[str, object])
    file.write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
