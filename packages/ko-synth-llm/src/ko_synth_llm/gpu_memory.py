"""Whether a model's weights fit the GPUs there are, asked before minutes go into loading them.

Counts what the weight files take as they are stored, what they take as they are loaded, and what is free now.
"""

import json
import math
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ._files import InputError
from .engine import Engine

GIB = 1 << 30
WORKING_GIB = 1.0
"""What activations and the first blocks of attention take beside the weights."""
BITS = {"float32": 32, "bfloat16": 16, "float16": 16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One GPU's memory in GiB."""

    free: float
    total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A model's weights as they are stored."""

    gib: float
    bits: int
    """Of one weight; 0 where they are stored quantised."""

    def loaded_gib(self, engine: Engine) -> float:
        """GiB after loading.

        >>> Weights(gib=60.0, bits=16).loaded_gib(Engine(quantization="fp8"))
        30.0
        >>> Weights(gib=30.0, bits=0).loaded_gib(Engine(quantization="fp8"))
        30.0
        """
        if not self.bits:
            return self.gib
        wanted = 8 if engine.quantization in {"fp8", "int8"} else BITS.get(engine.dtype, min(self.bits, 16))
        return self.gib * wanted / self.bits


def check_memory(model: str, engine: Engine) -> None:
    """Raises InputError with what to change where a model's weights do not fit the GPUs' free memory.

    Says nothing where there is no NVIDIA GPU, or where the weights are not on this machine yet.
    """
    gpus = free_memory()
    weights = stored_weights(model)
    if gpus and weights is not None and (problem := misfit(weights, engine, gpus)):
        raise InputError(f"{model}: {problem}")


def misfit(weights: Weights, engine: Engine, gpus: Sequence[Gpu]) -> str:
    """Why weights do not fit and what to change; empty where they do.

    >>> misfit(Weights(gib=60, bits=16), Engine(), [Gpu(free=79, total=80)])
    ''
    """
    n = engine.tensor_parallel_size
    if n > len(gpus):
        return f"tensor_parallel_size is {n}, but {len(gpus)} GPUs are visible: use --engine tensor_parallel_size=1"
    each = max(0.0, weights.loaded_gib(engine) / n - engine.cpu_offload_gb) + WORKING_GIB
    room = min(min(gpu.free, gpu.total * engine.gpu_memory_utilization) for gpu in gpus[:n])
    if each <= room:
        return ""
    return (
        f"its weights take about {weights.loaded_gib(engine):.1f} GiB, with working memory {each:.1f} on each of {n} "
        f"GPUs, but {room:.1f} may be used there now: {'; '.join(_changes(weights, engine, gpus, each - room))}"
    )


def _changes(weights: Weights, engine: Engine, gpus: Sequence[Gpu], missing: float) -> list[str]:
    """Changes that would make it fit, the least costly first."""
    changes = []
    busiest = min(gpus[: engine.tensor_parallel_size], key=lambda gpu: gpu.free)
    if busiest.total * engine.gpu_memory_utilization - busiest.free >= missing:
        changes.append("end what else uses the GPU (nvidia-smi names it)")
    n = engine.tensor_parallel_size
    if weights.bits and engine.quantization not in {"fp8", "int8"}:
        changes.append(f"--engine quantization=fp8 (about {weights.gib * 8 / weights.bits / n:.1f} GiB each)")
    if len(gpus) > n:
        changes.append(f"--engine tensor_parallel_size={len(gpus)}")
    changes.append(f"--engine cpu_offload_gb={math.ceil(engine.cpu_offload_gb + missing)} (slower)")
    return [*changes, "a smaller model"]


def free_memory() -> list[Gpu]:
    """The visible NVIDIA GPUs, in order; none where nvidia-smi is missing or fails."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    chosen = [] if visible is None else ["-i", visible]
    query = [program, "--query-gpu=memory.free,memory.total", "--format=csv,noheader,nounits", *chosen]
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    if done.returncode or visible == "":
        return []
    rows = [line.split(",") for line in done.stdout.splitlines() if line.count(",") == 1]
    return [Gpu(free=float(free) / 1024, total=float(total) / 1024) for free, total in rows]


def stored_weights(model: str) -> Weights | None:
    """The weights of a model's folder, or of its folder in the hub's cache; None where there is neither."""
    folder = Path(model)
    if not folder.is_dir():
        found = _cached(model)
        if found is None:
            return None
        folder = found
    files = list(folder.glob("*.safetensors")) or list(folder.glob("*.bin"))
    if not files:
        return None
    size = sum(file.stat().st_size for file in files)
    return Weights(gib=size / GIB, bits=_stored_bits(folder / "config.json"))


def _stored_bits(path: Path) -> int:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is not a model's configuration: {error}") from error
    if "quantization_config" in config:
        return 0
    return BITS.get(str(config.get("dtype", config.get("torch_dtype", "bfloat16"))), 16)


def _cached(model: str) -> Path | None:
    """The newest snapshot of a model in the hub's cache."""
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    cache = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    snapshots = cache / f"models--{model.replace('/', '--')}" / "snapshots"
    found = sorted(snapshots.iterdir(), key=lambda folder: folder.stat().st_mtime) if snapshots.is_dir() else []
    return found[-1] if found else None
