"""Pooled ONNX graphs: token ids in, vocabulary weights out, with the pooling and the limit on terms inside."""

import json
import logging
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import torch

from sparse_encoder._files import whole
from sparse_encoder.model_folder import SparseModel
from sparse_encoder.onnx_encoder import GRAPH, GRAPH_INT8
from sparse_encoder.serving import DocumentEncoder

OPSET = 17
"""Of the ONNX graphs; onnxruntime 1.13 and later run it."""


def write_graphs(model: SparseModel, folder: Path, *, int8: bool) -> None:
    """Writes what `OnnxEncoder` reads, whole: the graph, the one in 8 bits if wanted, and the tokenizer.

    These graphs are for this machine and keep every active term, so that whoever reads their weights may keep more
    terms than the model's own limit.
    """
    unlimited = replace(model, max_active_terms=len(model.idf))
    with whole(folder) as part:
        part.mkdir(parents=True)
        write_graph(document_encoder(unlimited), part / GRAPH)
        if int8:
            write_int8_graph(part / GRAPH, part / GRAPH_INT8)
        (part / "tokenizer.json").write_bytes(truncating_tokenizer(model))


def document_encoder(model: SparseModel) -> DocumentEncoder:
    """The model's document side as one module."""
    return DocumentEncoder(
        model.bert.eval(), model.lexical, max_active_terms=model.max_active_terms, activation=model.activation
    ).eval()


def write_graph(encoder: DocumentEncoder, file: Path) -> None:
    """Writes the fp32 graph, any number of texts of any length."""
    ids = torch.tensor([[2, 5, 6, 3, 0], [2, 5, 3, 0, 0]])
    axes = {0: "batch", 1: "tokens"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of every shape it reads, the exporter of its own age
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


def write_int8_graph(graph: Path, file: Path) -> None:
    """Writes the graph with its matrix products in 8 bits: weights by column, activations as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it advises a preparation that is done here
    try:
        with tempfile.TemporaryDirectory() as name:
            prepared = Path(name) / "prepared.onnx"
            quant_pre_process(str(graph), str(prepared), skip_symbolic_shape=True)
            quantize_dynamic(
                str(prepared), str(file), op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8
            )
    finally:
        root.setLevel(level)


def truncating_tokenizer(model: SparseModel) -> bytes:
    """The tokenizer with the model's limit in it: a server cuts where this file says."""
    config = json.loads(model.vocabulary.tokenizer.to_str())
    config["truncation"] = {
        "direction": "Right",
        "max_length": model.max_tokens,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    return (json.dumps(config, ensure_ascii=False, indent=2) + "\n").encode()
