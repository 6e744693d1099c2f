"""A training step, ours against stock sentence-transformers' modules, and the head against the bare product.

Seconds are the best of rounds in turns. Memory is what a step's peak is above the process before it (Linux: the
kernel's own high-water mark, reset before each form).
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from figures import add_options, in_turns, settle
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sparse_encoder.modules import SpladePooling
from sparse_encoder.bert import THRESHOLD, Bert, bert_config, start_lexical
from sparse_encoder.head import max_logits
from sparse_encoder.losses.flops import flops
from sparse_encoder.network import Network
from sparse_encoder.tokenizer_build import Choice, build_tokenizer, write_tokenizer
from torch import Tensor
from transformers import BertConfig, BertForMaskedLM

QUERY_TOKENS, SAMPLED, STOCK_CHUNK = 12, 1024, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a step is over."""

    size: str
    vocabulary: int
    batch: int
    tokens: int


SMALL = Shape(size="small", vocabulary=30_000, batch=48, tokens=96)
BASE = Shape(size="base", vocabulary=32_000, batch=32, tokens=256)


def peak_mb(form: Callable[[], object]) -> float:
    """Megabytes of the process's peak during `form` above what it held before."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _status_kb("VmRSS")
    form()
    return round((_status_kb("VmHWM") - before) / 1024, 1)


def _status_kb(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def ours(bert: Bert, ids: Tensor, queries: Tensor, columns: Tensor | None) -> Callable[[], object]:
    """A step over `columns`, or over the whole vocabulary."""
    network = Network(bert=bert, idf=torch.ones(queries.shape[1]))
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
        write_tokenizer(build_tokenizer(["검색"], Choice(vocab_size=100)), Path(folder), max_tokens=ids.shape[1])
        transformer = Transformer(folder, transformer_task="fill-mask").train()
    pooling = SpladePooling("max", chunk_size=chunk).train()
    parameters = list(transformer.parameters())

    def step() -> object:
        features = transformer({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
        weights = pooling(features)["sentence_embedding"]
        return torch.autograd.grad(
            loss_of(weights, queries, torch.ones(queries.shape[1])), parameters, allow_unused=True
        )

    return step


def loss_of(weights: Tensor, queries: Tensor, share: Tensor) -> Tensor:
    """In-batch InfoNCE and FLOPS."""
    scores = queries @ weights.T
    return torch.nn.functional.cross_entropy(scores, torch.arange(len(scores))) + 0.01 * flops(weights, share)


def steps_of(shape: Shape) -> dict[str, Callable[[], object]]:
    """The forms of a step: ours on the columns that it needs and on all, stock's chunked and plain; and the heads."""
    random = torch.Generator().manual_seed(0)
    bert = Bert(bert_config(shape.size, vocab_size=shape.vocabulary, max_tokens=shape.tokens))
    start_lexical(bert, twins=[], silent=(0, 2, 3), threshold=THRESHOLD, seed=1)
    ids = torch.randint(5, shape.vocabulary, (shape.batch, shape.tokens), generator=random)
    asked = ids[:, :QUERY_TOKENS]
    queries = torch.zeros(shape.batch, shape.vocabulary).scatter_(1, asked, 5.0)
    sampled = torch.randperm(shape.vocabulary, generator=random)[:SAMPLED].tolist()
    columns = torch.tensor(sorted({*asked.flatten().tolist(), *sampled}))
    hidden, mask = torch.randn(8, shape.tokens, bert.config.hidden_size, generator=random), torch.ones(8, shape.tokens)
    weight = bert.output_weight().detach()
    return {
        "ours, columns of a step": ours(bert, ids, queries, columns),
        "ours, whole vocabulary": ours(bert, ids, queries, None),
        "stock, chunk_size 16": stock(bert, ids, queries, STOCK_CHUNK),
        "stock": stock(bert, ids, queries, None),
        "head": lambda: max_logits(hidden, mask, weight.requires_grad_()),
        "matrix product": lambda: hidden @ weight.detach().T,
    }


def ratios_of(figures: Mapping[str, Mapping[str, float]], memory: Mapping[str, float]) -> dict[str, float]:
    """Ratios of ours to stock's best, and of the bare product to the head."""
    stocks = [form for form in figures if form.startswith("stock")]
    best = min(figures[form]["cpu_seconds"] for form in stocks)
    least = min(memory[form] for form in stocks)
    ours = [form for form in figures if form.startswith("ours")]
    ratios = {f"{form.removeprefix('ours, ')}: speed": best / figures[form]["cpu_seconds"] for form in ours}
    ratios |= {f"{form.removeprefix('ours, ')}: memory": least / memory[form] for form in ours}
    ratios["head: bare product's time of its own"] = (
        figures["matrix product"]["cpu_seconds"] / figures["head"]["cpu_seconds"]
    )
    return ratios


def run(name: str, shape: Shape, *, rounds: int) -> None:
    """Measures every form of a step at `shape`."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    forms = steps_of(shape)
    figures = in_turns(forms, rounds=rounds)
    memory = {form: peak_mb(step) for form, step in forms.items()}
    times = {form: {**found, "peak_mb": memory[form]} for form, found in figures.items()}
    told = {"shape": {**asdict(shape), "torch": torch.__version__, "threads": 1}, "times": times}
    ratios = ratios_of(figures, memory)
    settle(name, ratios, ratios=ratios, options=options, told=told)
