"""A model in the forms it is served in, each compared with PyTorch before any of it is left behind.

TorchScript for OpenSearch's ML Commons, a tokenizer archive for its queries, ONNX (with the pooling inside) for
clients.
"""

import io
import json
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Tensor

from sparse_encoder._files import InputError, whole, write_json
from sparse_encoder.archives import write_archive, write_registration
from sparse_encoder.encoding import Pruning, encode_texts
from sparse_encoder.inspection import SENTENCES, Inspection, inspect
from sparse_encoder.model_folder import SparseModel
from sparse_encoder.network import padded
from sparse_encoder.query_side import QuerySide, write_idf
from sparse_encoder.serving import DocumentEncoder, ServerEncoder

OPSET = 17
"""Of the ONNX graph; onnxruntime 1.13 and later run it."""
TOLERANCE = 1e-4
"""Largest difference of a weight from PyTorch's."""

Runner = Callable[[Tensor, Tensor], np.ndarray]
"""Ids and mask (batch, tokens) to weights (batch, vocab)."""


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """How near an exported form is to PyTorch."""

    form: str
    n_texts: int
    largest_difference: float
    tolerance: float
    same_terms: float
    """Share of texts whose active terms are the same set."""


class ExportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was written and how it compares."""

    format: str = "export_report"
    version: int = 1
    model: str
    opset: int = OPSET
    files: list[str]
    parity: list[Parity]
    inspection: Inspection


def export(model: SparseModel, path: Path, *, name: str, texts: Sequence[str] = SENTENCES) -> ExportReport:
    """Writes the export folder whole; InputError, and nothing written, where a form differs from PyTorch."""
    with whole(path) as part:
        part.mkdir(parents=True)
        encoder = DocumentEncoder(model.bert.eval(), model.lexical, max_active_terms=model.max_active_terms).eval()
        script = _trace(encoder)
        _write_onnx(encoder, part / "document_encoder.onnx")
        parity = [
            compare(model, texts, form="torchscript", run=_script_runner(script)),
            compare(model, texts, form="onnx", run=_onnx_runner(part / "document_encoder.onnx")),
        ]
        _write_archives(model, script, part, name)
        files = sorted(p.name for p in part.iterdir())
        found = inspect(model, name=name, texts=texts)
        report = ExportReport(model=name, files=files, parity=parity, inspection=found)
        write_json(part / "export_report.json", report)
    return report


def _trace(encoder: DocumentEncoder) -> torch.jit.ScriptModule:
    example = {"input_ids": torch.tensor([[2, 5, 6, 3, 0], [2, 5, 3, 0, 0]])}
    example["attention_mask"] = (example["input_ids"] != 0).long()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of every shape it reads
        script: torch.jit.ScriptModule = torch.jit.trace(ServerEncoder(encoder), (example,), strict=False)
    return script


def _write_onnx(encoder: DocumentEncoder, file: Path) -> None:
    ids = torch.tensor([[2, 5, 6, 3, 0], [2, 5, 3, 0, 0]])
    axes = {0: "batch", 1: "tokens"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as above, and the exporter's own deprecations
        torch.onnx.export(
            encoder,
            (ids, (ids != 0).long()),
            str(file),
            input_names=["input_ids", "attention_mask"],
            output_names=["output"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "output": {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )


def _write_archives(model: SparseModel, script: torch.jit.ScriptModule, folder: Path, name: str) -> None:
    tokenizer = _truncating(model)
    encoder = folder / "encoder.zip"
    write_archive(encoder, {"model.pt": _script_bytes(script), "tokenizer.json": tokenizer})
    write_registration(
        encoder, name=f"{name}-document", function="SPARSE_ENCODING", description="Korean sparse document encoder"
    )
    side = QuerySide(vocabulary=model.vocabulary, idf=model.idf.numpy())
    write_idf(side, folder / "idf.json")
    queries = folder / "tokenizer.zip"
    write_archive(queries, {"tokenizer.json": tokenizer, "idf.json": (folder / "idf.json").read_bytes()})
    write_registration(
        queries, name=f"{name}-query", function="SPARSE_TOKENIZE", description="Tokens of a query times their IDF"
    )
    (folder / "tokenizer.json").write_bytes(tokenizer)


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


def _truncating(model: SparseModel) -> bytes:
    """The tokenizer with the model's limit in it: the server cuts where this file says."""
    config = json.loads(model.vocabulary.tokenizer.to_str())
    config["truncation"] = {
        "direction": "Right",
        "max_length": model.max_tokens,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    return (json.dumps(config, ensure_ascii=False, indent=2) + "\n").encode()


def compare(model: SparseModel, texts: Sequence[str], *, form: str, run: Runner) -> Parity:
    """Compares one form with PyTorch on every text, several lengths to a batch; InputError above the tolerance."""
    wanted = encode_texts(model, texts, pruning=Pruning(top_k=model.max_active_terms))
    tokens = model.vocabulary.encode(texts, max_tokens=model.max_tokens, special=True)
    largest, n_same = 0.0, 0
    for start in range(0, len(texts), 8):
        ids, mask = padded(tokens[start : start + 8], device=torch.device("cpu"))
        for row, (terms, weights) in zip(run(ids, mask), wanted[start : start + 8], strict=True):
            dense = np.zeros_like(row)
            dense[terms] = weights
            n_same += bool(np.array_equal(np.flatnonzero(row > 0), terms))
            largest = max(largest, _difference(row, dense))
    parity = Parity(
        form=form,
        n_texts=len(texts),
        largest_difference=float(f"{largest:.1e}"),
        tolerance=TOLERANCE,
        same_terms=round(n_same / len(texts), 4),
    )
    if not largest <= TOLERANCE:
        raise InputError(
            f"the {form} export differs from PyTorch by {largest:.2g} on {len(texts)} texts; wanted at most "
            f"{TOLERANCE}: nothing was written"
        )
    return parity


def _difference(row: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference of a weight; at the limit of active terms equal weights may change places.

    A term that only one of the two has counts by how far it is above the lightest term that the other kept.
    """
    both = (row > 0) & (wanted > 0)
    shared = float(np.abs(row - wanted)[both].max(initial=0.0))
    lightest = min((float(w[w > 0].min()) for w in (row, wanted) if (w > 0).any()), default=0.0)
    alone = np.maximum(row, wanted)[(row > 0) ^ (wanted > 0)]
    return max(shared, float(np.maximum(alone - lightest, 0).max(initial=0.0)))


def _script_runner(script: torch.jit.ScriptModule) -> Runner:
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
        return np.asarray(found)

    return run
