"""By what a document side is run: PyTorch from a model folder, or onnxruntime from an export. Light: no torch here."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

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

    def open(self, processes: int = 1) -> Encoder:
        """Reads the model; `processes` share the processor's cores, and several GPUs are dealt out to them."""
        threads = max(1, (os.cpu_count() or 1) // processes) if processes > 1 else 0
        if self.backend == "onnx":
            return OnnxEncoder(self.model, int8=self.int8, threads=threads)
        import torch

        from sparse_encoder.devices import choose_device
        from sparse_encoder.encoding import TorchEncoder
        from sparse_encoder.model_folder import read_model

        if threads:
            torch.set_num_threads(threads)
        return TorchEncoder(read_model(self.model), int8=self.int8, device=str(choose_device(self.device)))


def prepare(side: Side, work: Path) -> Side:
    """The side with a graph to run: of a model folder whose backend is onnx one is made in `work`."""
    if side.backend != "onnx" or (side.model / GRAPH).is_file():
        return side
    from sparse_encoder.graphs import write_graphs
    from sparse_encoder.model_folder import read_model

    folder = work / "onnx"
    write_graphs(read_model(side.model), folder, int8=side.int8)
    return replace(side, model=folder)
