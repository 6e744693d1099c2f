"""A model in the forms it is served in, each compared with PyTorch before any of it is left behind.

TorchScript for OpenSearch's ML Commons, a tokenizer archive for its queries, ONNX (with the pooling inside) for
clients.
"""

import io
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Tensor

from sparse_encoder._files import sha256, whole, write_json
from sparse_encoder.archives import write_archive, write_registration
from sparse_encoder.asking import query_model, query_side
from sparse_encoder.graphs import OPSET, document_encoder, truncating_tokenizer, write_graph, write_int8_graph
from sparse_encoder.inspection import SENTENCES, Inspection, inspect
from sparse_encoder.limits import EXPORT_REPORT
from sparse_encoder.model_folder import SparseModel
from sparse_encoder.onnx_encoder import GRAPH, GRAPH_INT8
from sparse_encoder.parity import Parity, Runner, compare, compare_queries, reference
from sparse_encoder.query_side import write_idf
from sparse_encoder.serving import DocumentEncoder, ServerEncoder


class Artefact(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the export."""

    name: str
    n_bytes: int
    sha256: str


class ExportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was written and how it compares."""

    format: str = "export_report"
    version: int = 1
    model: str
    opset: int = OPSET
    max_active_terms: int
    """Inside every graph."""
    files: list[str]
    artefacts: list[Artefact]
    parity: list[Parity]
    inspection: Inspection


def export(
    model: SparseModel, path: Path, *, name: str, texts: Sequence[str] = SENTENCES, int8: bool = False
) -> ExportReport:
    """Writes the export folder whole; InputError, and nothing written, where a form differs from PyTorch.

    int8: also the ONNX graph in 8 bits, for clients with more to encode than they have processors.
    """
    with whole(path) as part:
        part.mkdir(parents=True)
        encoder = document_encoder(model)
        script = _trace(encoder)
        write_graph(encoder, part / GRAPH)
        by_torch = reference(model, texts)
        _write_encoder(model, script, part, name)
        parity = [
            compare(by_torch, form="torchscript", run=_script_runner(part / "encoder.zip")),
            compare(by_torch, form="onnx", run=_onnx_runner(part / GRAPH)),
        ]
        if int8:
            write_int8_graph(part / GRAPH, part / GRAPH_INT8)
            parity.append(compare(by_torch, form="onnx-int8", run=_onnx_runner(part / GRAPH_INT8), rounded=True))
        if model.query is None:
            _write_query_tokenizer(model, part, name)
            parity.append(compare_queries(by_torch, part / "tokenizer.zip"))
        elif model.query is not model.bert:
            parity.append(_write_query_encoder(query_model(model), texts, part, name))
        files = sorted(part.iterdir())
        report = ExportReport(
            model=name,
            max_active_terms=model.max_active_terms,
            files=[file.name for file in files],
            artefacts=[Artefact(name=f.name, n_bytes=f.stat().st_size, sha256=sha256(f)) for f in files],
            parity=parity,
            inspection=inspect(model, name=name, texts=texts, vectors=by_torch.vectors),
        )
        write_json(part / EXPORT_REPORT, report)
    return report


def _trace(encoder: DocumentEncoder) -> torch.jit.ScriptModule:
    example = {"input_ids": torch.tensor([[2, 5, 6, 3, 0], [2, 5, 3, 0, 0]])}
    example["attention_mask"] = (example["input_ids"] != 0).long()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of every shape it reads
        script: torch.jit.ScriptModule = torch.jit.trace(ServerEncoder(encoder), (example,), strict=False)
    return script


def _write_encoder(model: SparseModel, script: torch.jit.ScriptModule, folder: Path, name: str) -> None:
    tokenizer = truncating_tokenizer(model)
    encoder = folder / "encoder.zip"
    write_archive(encoder, {"model.pt": _script_bytes(script), "tokenizer.json": tokenizer})
    both = model.query is model.bert
    write_registration(
        encoder,
        name=name if both else f"{name}-document",
        function="SPARSE_ENCODING",
        description="Korean sparse encoder" if both else "Korean sparse document encoder",
    )
    (folder / "tokenizer.json").write_bytes(tokenizer)


def _write_query_tokenizer(model: SparseModel, folder: Path, name: str) -> None:
    write_idf(query_side(model), folder / "idf.json")
    queries = folder / "tokenizer.zip"
    write_archive(
        queries, {"tokenizer.json": truncating_tokenizer(model), "idf.json": (folder / "idf.json").read_bytes()}
    )
    write_registration(
        queries, name=f"{name}-query", function="SPARSE_TOKENIZE", description="Tokens of a query times their IDF"
    )


def _write_query_encoder(model: SparseModel, texts: Sequence[str], folder: Path, name: str) -> Parity:
    """The archive of a second encoder, for queries alone, and how near it is to PyTorch."""
    script = _trace(document_encoder(model))
    archive = folder / "query_encoder.zip"
    write_archive(archive, {"model.pt": _script_bytes(script), "tokenizer.json": truncating_tokenizer(model)})
    write_registration(
        archive, name=f"{name}-query", function="SPARSE_ENCODING", description="Korean sparse query encoder"
    )
    return compare(reference(model, texts), form="query torchscript", run=_script_runner(archive))


def _script_bytes(script: torch.jit.ScriptModule) -> bytes:
    """The TorchScript file without its debug records, which name folders of this machine, and without times."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the server runs nothing newer
        torch.jit.save(script, buffer)
    kept = io.BytesIO()
    with zipfile.ZipFile(buffer) as archive, zipfile.ZipFile(kept, "w") as smaller:
        for info in archive.infolist():
            if not info.filename.endswith(".debug_pkl"):
                smaller.writestr(zipfile.ZipInfo(info.filename), archive.read(info))
    return kept.getvalue()


def _script_runner(archive: Path) -> Runner:
    """Runs the TorchScript of an archive, as a server loads it."""
    with zipfile.ZipFile(archive) as files, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the server runs nothing newer
        script = torch.jit.load(io.BytesIO(files.read("model.pt")))

    def run(ids: Tensor, mask: Tensor) -> np.ndarray:
        with torch.inference_mode():
            found: np.ndarray = script({"input_ids": ids, "attention_mask": mask})["output"].numpy()
        return found

    return run


def _onnx_runner(file: Path) -> Runner:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])

    def run(ids: Tensor, mask: Tensor) -> np.ndarray:
        (found,) = session.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
        return np.asarray(found, dtype=np.float32)

    return run
