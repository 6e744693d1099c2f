"""The document side as a pooled ONNX graph, run by onnxruntime: no torch, and so a start of half a second."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparse_encoder._files import InputError
from sparse_encoder.limits import read_export_limits
from sparse_encoder.pruning import Pruning, Terms, prune
from sparse_encoder.shards import by_length
from sparse_encoder.vocabulary import read_vocabulary

GRAPH = "document_encoder.onnx"
"""What `sparse-encoder export` calls it; the limit on active terms is inside."""
GRAPH_INT8 = "document_encoder.int8.onnx"


class OnnxEncoder:
    """An export folder's document side, or the graphs of `write_graphs`."""

    def __init__(self, folder: Path, *, int8: bool = False, threads: int = 0, max_active_terms: int = 0) -> None:
        """threads: 0 lets onnxruntime choose; max_active_terms: of graphs without the model's limit inside."""
        import onnxruntime

        file = folder / (GRAPH_INT8 if int8 else GRAPH)
        if not file.is_file():
            raise InputError(f"{file}: no such file; make it with: sparse-encoder export MODEL -o {folder}")
        self.vocabulary = read_vocabulary(folder)
        self.tokens = self.vocabulary.tokens
        limits = read_export_limits(folder)
        self.max_active_terms = max_active_terms or limits.max_active_terms or len(self.tokens)
        self.max_tokens = limits.max_tokens
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])

    def encode(self, texts: Sequence[str], *, pruning: Pruning) -> list[Terms]:
        """The terms of each text, in the order given; a text of no known token has none."""
        tokens = self.vocabulary.encode(texts, max_tokens=self.max_tokens, special=True)
        found: dict[int, Terms] = {}
        for chosen in by_length(tokens):
            weights = self.weights([tokens[i] for i in chosen])
            found.update(zip(chosen, (prune(row, pruning) for row in weights), strict=True))
        return [found[i] for i in range(len(texts))]

    def weights(self, texts: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """(texts, vocab) of texts given as token ids."""
        mask = np.arange(max(map(len, texts)))[None] < np.array([len(text) for text in texts])[:, None]
        ids = np.zeros(mask.shape, dtype=np.int64)
        ids[mask] = np.concatenate([np.asarray(text, dtype=np.int64) for text in texts])
        found: NDArray[np.float32]
        (found,) = self.session.run(None, {"input_ids": ids, "attention_mask": mask.astype(np.int64)})
        return found
