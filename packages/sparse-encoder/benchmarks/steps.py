"""A training step, ours against stock sentence-transformers' modules, and the head against the bare product.

A step is forward, in-batch InfoNCE and FLOPS, backward, clipping and AdamW. Seconds are the best of rounds in turns.
Memory is the peak of a step above the process before it, weights and optimizer state in place (Linux: the kernel's own
high-water mark, reset before each form).
"""

import argparse
import ctypes
import gc
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from figures import add_options, in_turns, settle
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sparse_encoder.modules import SpladePooling
from sparse_encoder.adamw import AdamW, clip
from sparse_encoder.bert import THRESHOLD, Bert, bert_config, start_lexical
from sparse_encoder.head import max_logits
from sparse_encoder.losses.flops import flops
from sparse_encoder.network import Network
from sparse_encoder.tokenizer_build import Choice, build_tokenizer, write_tokenizer
from torch import Tensor
from transformers import BertConfig, BertForMaskedLM

QUERY_TOKENS, SAMPLED, ACTIVE, RATE, DECAY, NORM = 12, 1024, 1000, 1e-4, 0.01, 1.0
Step = Callable[[Tensor], Sequence[Tensor]]
"""From token ids to the gradients, of which the weights have been moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a step is over."""

    size: str
    vocabulary: int
    batch: int
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What is the same for all forms of a step."""

    bert: Bert
    queries: Tensor
    """(batch, vocab)."""
    columns: Tensor
    """Those that a step of ours looks at: of the queries' tokens, and sampled ones."""

    def of(self, n: int, columns: Tensor | None) -> Tensor:
        """The first n queries."""
        return self.queries[:n] if columns is None else self.queries[:n, columns]


SMALL = Shape(size="small", vocabulary=30_000, batch=48, tokens=96)
BASE = Shape(size="base", vocabulary=32_000, batch=32, tokens=256)


def ours(data: Data, columns: Tensor | None, products: torch.dtype) -> Step:
    """A step over `columns`, or over the whole vocabulary."""
    bert = Bert(data.bert.config)
    bert.load_state_dict(data.bert.state_dict())
    network = Network(bert=bert, idf=torch.ones(data.queries.shape[1]), products=products)
    parameters = list(bert.parameters())
    optimizer = AdamW(parameters, weight_decay=DECAY)

    def step(ids: Tensor) -> Sequence[Tensor]:
        weights = network.weights(ids.tolist(), columns)
        loss = loss_of(weights, data.of(len(ids), columns))
        found = torch.autograd.grad(loss, parameters, allow_unused=True)
        gradients = [torch.zeros_like(p) if g is None else g for g, p in zip(found, parameters, strict=True)]
        clip(gradients, largest=NORM)
        with torch.no_grad():
            optimizer.step(gradients, rate=RATE, number=1)
        return gradients

    return step


def stock(data: Data, chunk: int | None, products: torch.dtype) -> Step:
    """The same with sentence-transformers' Transformer and SpladePooling, and the optimizer that its trainer takes."""
    config = data.bert.config
    model = BertForMaskedLM(BertConfig(**{f: getattr(config, f) for f in config.__struct_fields__}))
    model.load_state_dict(data.bert.state_dict(), strict=False)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        longest = config.max_position_embeddings
        write_tokenizer(build_tokenizer(["검색"], Choice(vocab_size=100)), Path(folder), max_tokens=longest)
        transformer = Transformer(folder, transformer_task="fill-mask").train()
    pooling = SpladePooling("max", chunk_size=chunk).train()
    parameters = list(transformer.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=DECAY, fused=True)

    def step(ids: Tensor) -> Sequence[Tensor]:
        with torch.autocast("cpu", dtype=products) if products != torch.float32 else nullcontext():
            features = transformer({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
            weights = pooling(features)["sentence_embedding"]
        loss_of(weights.float(), data.of(len(ids), None)).backward()
        torch.nn.utils.clip_grad_norm_(parameters, NORM)
        optimizer.step()
        gradients = [p.grad for p in parameters]
        optimizer.zero_grad()
        return gradients

    return step


def loss_of(weights: Tensor, queries: Tensor) -> Tensor:
    """In-batch InfoNCE and FLOPS."""
    scores = queries @ weights.T
    loss = torch.nn.functional.cross_entropy(scores, torch.arange(len(scores)))
    return loss + 0.01 * flops(weights, torch.ones(weights.shape[1]))


def make_data(shape: Shape) -> tuple[Data, Tensor]:
    """A network whose documents have ACTIVE terms on average, queries of the documents' first words, and their ids."""
    random = torch.Generator().manual_seed(0)
    bert = Bert(bert_config(shape.size, vocab_size=shape.vocabulary, max_tokens=shape.tokens))
    start_lexical(bert, twins=[], silent=(), threshold=THRESHOLD, seed=1)
    ids = torch.randint(5, shape.vocabulary, (shape.batch, shape.tokens), generator=random)
    with torch.no_grad():
        few = ids[:4]
        largest = max_logits(bert.hidden(few, torch.ones_like(few)), torch.ones_like(few), bert.output_weight())
        bert.output_bias().fill_(-float(largest.flatten().topk(len(few) * ACTIVE).values[-1]))
    asked = ids[:, :QUERY_TOKENS]
    queries = torch.zeros(shape.batch, shape.vocabulary).scatter_(1, asked, 5.0)
    sampled = torch.randperm(shape.vocabulary, generator=random)[:SAMPLED].tolist()
    columns = torch.tensor(sorted({*asked.flatten().tolist(), *sampled}))
    return Data(bert=bert, queries=queries, columns=columns), ids


def forms_of(data: Data, *, with_bf16: bool) -> dict[str, Callable[[], Step]]:
    """The forms of a step, each still to be built: memory holds one of them at a time.

    Ours on all columns of the vocabulary and on those that it needs, stock's chunked or not.
    """
    forms: dict[str, Callable[[], Step]] = {}
    for products, name in ((torch.float32, ""), (torch.bfloat16, " in bf16"))[: 1 + with_bf16]:
        forms |= {
            f"ours{name}, whole vocabulary": partial(ours, data, None, products),
            f"ours{name}, columns of a step": partial(ours, data, data.columns, products),
            f"stock{name}": partial(stock, data, None, products),
            f"stock{name}, chunk_size 16": partial(stock, data, 16, products),
        }
    return forms


def timed(step: Step, ids: Tensor) -> dict[str, float]:
    """Seconds and peak memory of a step, after a short one."""
    step(ids[:2, :16])
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before, began, cpu = _status_kb("VmRSS"), time.perf_counter(), time.process_time()
    step(ids)
    taken = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}
    return taken | {"peak_mb": (_status_kb("VmHWM") - before) / 1024}


def _status_kb(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def heads_of(data: Data, tokens: int) -> dict[str, Callable[[], object]]:
    """The head's forward pass and the bare product of the same shape."""
    weight = data.bert.output_weight().detach()
    hidden, mask = torch.randn(8, tokens, weight.shape[1]), torch.ones(8, tokens)
    trained = weight.clone().requires_grad_()
    return {"head": lambda: max_logits(hidden, mask, trained), "matrix product": lambda: hidden @ weight.T}


def ratios_of(figures: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Of ours to stock's best in the same precision, and of the bare product's time to the head's."""
    found: dict[str, float] = {}
    for form, taken in figures.items():
        if not form.startswith("ours"):
            continue
        kind = "stock in bf16" if "bf16" in form else "stock"
        peers = [f for name, f in figures.items() if name.partition(",")[0] == kind]
        told = form.removeprefix("ours").lstrip(", ")
        for measure, field in (("speed", "cpu_seconds"), ("memory", "peak_mb")):
            found[f"{told}: {measure}"] = min(p[field] for p in peers) / taken[field]
    found["head: speed of the bare product"] = figures["matrix product"]["cpu_seconds"] / figures["head"]["cpu_seconds"]
    return {name: round(value, 2) for name, value in found.items()}


def run(name: str, shape: Shape, *, rounds: int, with_bf16: bool) -> None:
    """Measures every form of a step at `shape`, in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    data, ids = make_data(shape)
    figures: dict[str, dict[str, float]] = dict(in_turns(heads_of(data, shape.tokens), rounds=5))
    forms = forms_of(data, with_bf16=with_bf16)
    taken = {form: [] for form in forms}
    for _ in range(rounds):
        for form, build in forms.items():
            taken[form].append(timed(build(), ids))
    figures |= {form: {k: round(min(t[k] for t in found), 3) for k in found[0]} for form, found in taken.items()}
    shown = asdict(shape) | {"active_terms": ACTIVE, "torch": torch.__version__, "threads": 1}
    ratios = ratios_of(figures)
    settle(name, ratios, ratios=ratios, options=options, told={"shape": shown, "times": figures})
