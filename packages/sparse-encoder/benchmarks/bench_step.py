"""One training step, ours against stock sentence-transformers' modules, in one process.

Prints JSON: seconds a step (the best of several) and the peak memory that each adds to the process.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sparse_encoder.modules import SpladePooling
from sparse_encoder.bert import THRESHOLD, Bert, bert_config, start_lexical
from sparse_encoder.losses.flops import flops
from sparse_encoder.network import Network
from sparse_encoder.tokenizer_build import build_tokenizer, write_tokenizer
from torch import Tensor
from transformers import BertConfig, BertForMaskedLM

VOCABULARY = 8000
BATCH, TOKENS, QUERY_TOKENS, REPEATS = 48, 96, 12, 3


def seconds(step: Callable[[], object]) -> float:
    """The best of several runs after a first that is not counted."""
    step()
    found = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        step()
        found.append(time.perf_counter() - began)
    return min(found)


def ours(bert: Bert, ids: Tensor, queries: Tensor, columns: Tensor | None) -> Callable[[], object]:
    """A step over `columns`, or over the whole vocabulary."""
    network = Network(bert=bert, idf=torch.ones(VOCABULARY))
    texts, parameters = ids.tolist(), list(bert.parameters())

    def step() -> object:
        weights = network.weights(texts, columns)
        share = torch.ones(weights.shape[1])
        loss = loss_of(weights, queries if columns is None else queries[:, columns], share)
        return torch.autograd.grad(loss, parameters, allow_unused=True)

    return step


def stock(bert: Bert, ids: Tensor, queries: Tensor, chunk: int | None) -> Callable[[], object]:
    """The same with sentence-transformers' Transformer and SpladePooling."""
    model = BertForMaskedLM(BertConfig(**{f: getattr(bert.config, f) for f in bert.config.__struct_fields__}))
    model.load_state_dict(bert.state_dict(), strict=False)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        write_tokenizer(build_tokenizer(["검색"], vocab_size=100), Path(folder), max_tokens=TOKENS)
        transformer = Transformer(folder, transformer_task="fill-mask").train()
    pooling = SpladePooling("max", chunk_size=chunk).train()
    parameters = list(transformer.parameters())

    def step() -> object:
        features = transformer({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
        weights = pooling(features)["sentence_embedding"]
        return torch.autograd.grad(loss_of(weights, queries, torch.ones(VOCABULARY)), parameters, allow_unused=True)

    return step


def loss_of(weights: Tensor, queries: Tensor, share: Tensor) -> Tensor:
    """In-batch InfoNCE and FLOPS."""
    scores = queries @ weights.T
    return torch.nn.functional.cross_entropy(scores, torch.arange(len(scores))) + 0.01 * flops(weights, share)


def main() -> None:
    random = torch.Generator().manual_seed(0)
    bert = Bert(bert_config("small", vocab_size=VOCABULARY, max_tokens=TOKENS))
    start_lexical(bert, twins=[], silent=(0, 2, 3), threshold=THRESHOLD, seed=1)
    ids = torch.randint(5, VOCABULARY, (BATCH, TOKENS), generator=random)
    queries = torch.zeros(BATCH, VOCABULARY).scatter_(1, ids[:, :QUERY_TOKENS], 5.0)
    needed = set(ids[:, :QUERY_TOKENS].flatten().tolist())
    sampled = torch.randperm(VOCABULARY, generator=random)[:1024].tolist()
    forms = {
        "ours, columns of a step": ours(bert, ids, queries, torch.tensor(sorted(needed | set(sampled)))),
        "ours, whole vocabulary": ours(bert, ids, queries, None),
        "sentence-transformers, chunk_size 16": stock(bert, ids, queries, 16),
        "sentence-transformers": stock(bert, ids, queries, None),
    }
    figures = {}
    for name, step in forms.items():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        taken = seconds(step)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        figures[name] = {"seconds": round(taken, 3), "peak_grew_mb": grown // 1024}
    shape = {"model": "small 3x256", "vocabulary": VOCABULARY, "batch": BATCH, "tokens": TOKENS}
    machine = {"cores": os.cpu_count(), "threads": torch.get_num_threads(), "torch": torch.__version__}
    json.dump({"shape": shape, "machine": machine, "figures": figures}, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
