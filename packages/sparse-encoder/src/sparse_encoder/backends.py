"""By what a document side is run: PyTorch from a model folder, or onnxruntime from an export. Light: no torch here."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sparse_encoder._files import InputError
from sparse_encoder.layouts import layout_of
from sparse_encoder.limits import read_export_limits
from sparse_encoder.onnx_encoder import GRAPH, OnnxEncoder
from sparse_encoder.shards import Encoder

Backend = Literal["torch", "onnx"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A document side and what it is run by; small and picklable, so that each process can open its own."""

    model: Path
    backend: Backend = "torch"
    int8: bool = False
    device: Literal["auto", "cpu", "cuda"] = "auto"
    max_active_terms: int = 0
    """The model's limit, where `model` holds graphs without it; else 0."""

    @property
    def is_export(self) -> bool:
        """Whether the model is an export folder, with the limit on terms inside its graphs."""
        return self.backend == "onnx" and (self.model / GRAPH).is_file()

    def open(self, processes: int = 1, number: int = 0) -> Encoder:
        """Reads the model in process `number` of `processes`, which share the cores and are dealt the GPUs."""
        threads = max(1, (os.cpu_count() or 1) // processes) if processes > 1 else 0
        if self.backend == "onnx":
            return OnnxEncoder(self.model, int8=self.int8, threads=threads, max_active_terms=self.max_active_terms)
        import torch

        from sparse_encoder.devices import deal_device
        from sparse_encoder.encoding import TorchEncoder
        from sparse_encoder.model_folder import read_model

        if threads:
            torch.set_num_threads(threads)
        return TorchEncoder(read_model(self.model), int8=self.int8, device=str(deal_device(self.device, number)))


def check_side(side: Side, *, top_k: int) -> None:
    """InputError where there is no such model, or it cannot do what is asked for; top_k: 0 for the model's own limit.

    An export's graphs drop what is above their limit, whereas a model folder's limit gives way to `top_k`.
    """
    if side.backend == "onnx" and side.device == "cuda":
        raise InputError("--backend onnx runs on the processor; leave --device out, or encode with --backend torch")
    if not side.model.is_dir():
        raise InputError(f"{side.model}: no such folder; wanted a model folder, as train writes it")
    if not side.is_export:
        layout_of(side.model)
        return
    limit = read_export_limits(side.model).max_active_terms
    if limit and top_k > limit:
        raise InputError(
            f"{side.model}: its graph keeps {limit} terms and --top-k is {top_k}; give at most {limit}, or the model "
            f"folder that was exported"
        )


def prepare(side: Side, work: Path) -> Side:
    """The side with a graph to run: of a model folder whose backend is onnx one is made in `work`."""
    if side.backend != "onnx" or side.is_export:
        return side
    from sparse_encoder.graphs import write_graphs
    from sparse_encoder.model_folder import read_model

    folder = work / "onnx"
    model = read_model(side.model)
    write_graphs(model, folder, int8=side.int8)
    return replace(side, model=folder, max_active_terms=model.max_active_terms)
