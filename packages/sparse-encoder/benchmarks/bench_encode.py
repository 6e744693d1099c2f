"""Encoding 48 passages with a small model, ours against stock sentence-transformers at its best setting; one query.

One thread each: threads that wait for a busy machine would say more about it than about the code.
"""

import argparse
import random
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from figures import add_options, in_turns, settle
from sentence_transformers import SparseEncoder
from sparse_encoder.backends import Side, prepare
from sparse_encoder.bert import Bert, bert_config, start_lexical
from sparse_encoder.encoding import TorchEncoder
from sparse_encoder.model_folder import SparseModel, read_model, write_model
from sparse_encoder.onnx_encoder import OnnxEncoder
from sparse_encoder.pruning import Pruning
from sparse_encoder.query_side import read_query_side
from sparse_encoder.shards import Encoder
from sparse_encoder.tokenizer_build import SPECIAL_TOKENS, assemble
from sparse_encoder.vocabulary import Vocabulary

VOCABULARY, N_TEXTS, ACTIVE = 30_000, 48, 100
THRESHOLD = 1.8
"""Leaves a text some hundreds of active terms before pruning, as a trained model has them."""
SETTINGS = ((None, 1), (None, 4), (32, 4))
"""Stock's chunk_size and batch_size: larger batches are slower here."""


def make_model(folder: Path) -> None:
    """A small model over made-up words of two syllables."""
    words = [chr(0xAC00 + i // 100) + chr(0xAC00 + 5000 + i % 100) for i in range(VOCABULARY - len(SPECIAL_TOKENS))]
    bert = Bert(bert_config("small", vocab_size=VOCABULARY, max_tokens=256))
    start_lexical(bert, twins=[], silent=tuple(range(5)), threshold=THRESHOLD, seed=1)
    tokens = (*SPECIAL_TOKENS, *words)
    vocabulary = Vocabulary(tokenizer=assemble(list(tokens)), tokens=tokens)
    idf = torch.ones(VOCABULARY)
    write_model(SparseModel(bert=bert, idf=idf, vocabulary=vocabulary, max_tokens=256, max_active_terms=ACTIVE), folder)


def make_texts(words: tuple[str, ...]) -> list[str]:
    """Texts of 8 to 250 words, frequent ones often."""
    chance = random.Random(0)
    lengths = [min(250, max(8, int(chance.lognormvariate(4.4, 0.5)))) for _ in range(N_TEXTS)]
    return [" ".join(words[min(len(words) - 1, int(chance.paretovariate(0.6) * 3))] for _ in range(n)) for n in lengths]


def largest_difference(theirs: SparseEncoder, ours: TorchEncoder, texts: list[str]) -> float:
    """Of a weight; a text with other terms counts as infinite."""
    rows = theirs.encode_document(texts, batch_size=4).to_dense().numpy()
    found = ours.encode(texts, pruning=Pruning(top_k=ACTIVE))
    return max(
        float(np.abs(row[ids] - weights).max()) if np.count_nonzero(row) == len(ids) else float("inf")
        for row, (ids, weights) in zip(rows, found, strict=True)
    )


def forms_of(folder: Path, texts: list[str]) -> dict[str, Callable[[], object]]:
    """Every way to encode the texts, by its name."""
    pruning = Pruning(top_k=ACTIVE)
    model = read_model(folder)
    graphs = prepare(Side(model=folder, backend="onnx", int8=True), folder.parent).model
    ours: dict[str, Encoder] = {
        "fp32": TorchEncoder(model),
        "int8": TorchEncoder(model, int8=True),
        "onnx": OnnxEncoder(graphs, threads=1),
        "onnx int8": OnnxEncoder(graphs, int8=True, threads=1),
    }
    forms: dict[str, Callable[[], object]] = {}
    for chunk, size in SETTINGS:
        theirs = SparseEncoder(str(folder), device="cpu")
        theirs[0].sub_modules["document"][1].chunk_size = chunk
        forms[f"stock, chunk_size {chunk}, batch_size {size}"] = partial(
            theirs.encode_document, texts, batch_size=size, show_progress_bar=False
        )
    return forms | {f"ours, {name}": partial(e.encode, texts, pruning=pruning) for name, e in ours.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "model"
        make_model(folder)
        side = read_query_side(folder)
        texts = make_texts(side.vocabulary.tokens[5:])
        forms = forms_of(folder, texts)
        figures = in_turns(forms, rounds=2)
        difference = largest_difference(
            SparseEncoder(str(folder), device="cpu"), TorchEncoder(read_model(folder)), texts
        )
        query = [("q", " ".join(texts[0].split()[:6]))]
        queries = in_turns({"1000 queries, one by one": lambda: [side.encode(query) for _ in range(1000)]})
    taken = {form: found["cpu_seconds"] for form, found in figures.items()}
    best = min(value for form, value in taken.items() if form.startswith("stock"))
    ratios = {form.removeprefix("ours, "): round(best / value, 2) for form, value in taken.items() if "ours" in form}
    shape = {"model": "small 3x256", "vocabulary": VOCABULARY, "passages": N_TEXTS}
    shape |= {"words": sum(len(text.split()) for text in texts), "largest_difference": difference}
    shape |= {"torch": torch.__version__, "threads": 1}
    settle("encode", ratios, ratios=ratios, options=options, told={"shape": shape, "times": figures | queries})


if __name__ == "__main__":
    main()
