"""How near an exported form of a model is to PyTorch: weight by weight for fp32, by what it ranks for 8 bits."""

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from sparse_encoder._files import InputError
from sparse_encoder.encoding import encode_texts
from sparse_encoder.model_folder import SparseModel
from sparse_encoder.network import padded
from sparse_encoder.pruning import Pruning, Terms

TOLERANCE = 1e-4
"""Largest difference of an fp32 weight from PyTorch's."""
LEAST_AGREEMENT = 0.8
"""Least rank agreement of a form in 8 bits."""
QUERY_TOKENS = 8
"""A text's first tokens, as the query for which the texts are ranked."""
BATCH = 8

Runner = Callable[[Tensor, Tensor], NDArray[np.float32]]
"""Ids and mask (batch, tokens) to weights (batch, vocab)."""
Rows = NDArray[np.float32]
"""(texts, vocab) weights."""


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """How near an exported form is to PyTorch."""

    form: str
    n_texts: int
    largest_difference: float
    tolerance: float | None
    """Of `largest_difference`; none for a form in 8 bits, which is judged by `rank_agreement`."""
    same_terms: float
    """Share of texts whose active terms are the same set."""
    rank_agreement: float
    """Mean share of the ten best texts that are the same ten, over queries made of every text's first tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What PyTorch makes of texts, which every exported form is compared with."""

    model: SparseModel
    texts: Sequence[str]
    vectors: Sequence[Terms]

    def rows(self) -> Rows:
        """The vectors as a table, (texts, vocab)."""
        rows = np.zeros((len(self.texts), len(self.model.idf)), dtype=np.float32)
        for row, (ids, weights) in zip(rows, self.vectors, strict=True):
            row[ids] = weights
        return rows


def reference(model: SparseModel, texts: Sequence[str]) -> Reference:
    """Encodes the texts by PyTorch, pruned as the model says."""
    vectors = encode_texts(model, texts, pruning=Pruning(top_k=model.max_active_terms))
    return Reference(model=model, texts=texts, vectors=vectors)


def compare(by_torch: Reference, *, form: str, run: Runner, rounded: bool = False) -> Parity:
    """Compares one form with PyTorch on every text; InputError where it differs more than it may.

    rounded: the form computes in 8 bits, and need only rank like PyTorch.
    """
    model, texts, wanted = by_torch.model, by_torch.texts, by_torch.rows()
    found = run_all(model, texts, run)
    largest = max(_difference(a, b) for a, b in zip(found, wanted, strict=True))
    agreement = rank_agreement(model, texts, found, wanted)
    if not rounded and not largest <= TOLERANCE:
        raise InputError(
            f"the {form} export differs from PyTorch by {largest:.2g} on {len(texts)} texts; wanted at most "
            f"{TOLERANCE}: nothing was written"
        )
    if rounded and agreement < LEAST_AGREEMENT:
        raise InputError(
            f"the {form} export ranks {agreement:.2f} of the best ten texts as PyTorch does; wanted at least "
            f"{LEAST_AGREEMENT}: nothing was written; export this model with --no-int8"
        )
    same = np.mean([np.array_equal(a > 0, b > 0) for a, b in zip(found, wanted, strict=True)])
    return Parity(
        form=form,
        n_texts=len(texts),
        largest_difference=float(f"{largest:.1e}"),
        tolerance=None if rounded else TOLERANCE,
        same_terms=round(float(same), 4),
        rank_agreement=round(agreement, 4),
    )


def compare_queries(by_torch: Reference, archive: Path) -> Parity:
    """Compares the queries that a SPARSE_TOKENIZE archive makes with the model's, both cut where the server cuts.

    As on the server a token that idf.json lacks weighs 1; InputError where weights differ by more than TOLERANCE.
    """
    model, texts, documents = by_torch.model, by_torch.texts, by_torch.rows()
    with zipfile.ZipFile(archive) as files:
        tokenizer = Tokenizer.from_str(files.read("tokenizer.json").decode())
        idf = msgspec.json.decode(files.read("idf.json"), type=dict[str, float])
    special = {i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    found, wanted = np.zeros_like(documents), np.zeros_like(documents)
    for row, encoded in zip(found, tokenizer.encode_batch(list(texts)), strict=True):
        for i in set(encoded.ids) - special:
            row[i] = idf.get(str(tokenizer.id_to_token(i)), 1.0)
    for row, ids in zip(wanted, model.vocabulary.encode(texts, max_tokens=model.max_tokens, special=True), strict=True):
        row[ids] = model.idf.numpy()[ids]
    largest = float(np.abs(found - wanted).max(initial=0.0))
    if not largest <= TOLERANCE:
        raise InputError(
            f"the tokenizer export weighs a query's token otherwise than the model by {largest:.2g} on {len(texts)} "
            f"texts; wanted at most {TOLERANCE}: nothing was written"
        )
    return Parity(
        form="tokenizer",
        n_texts=len(texts),
        largest_difference=float(f"{largest:.1e}"),
        tolerance=TOLERANCE,
        same_terms=round(float(np.mean(((found > 0) == (wanted > 0)).all(axis=1))), 4),
        rank_agreement=round(_same_best(found @ documents.T, wanted @ documents.T, n=10), 4),
    )


def run_all(model: SparseModel, texts: Sequence[str], run: Runner) -> Rows:
    """The form's weights of all texts, several lengths to a batch as on a server."""
    tokens = model.vocabulary.encode(texts, max_tokens=model.max_tokens, special=True)
    pieces = (padded(tokens[i : i + BATCH], device=torch.device("cpu")) for i in range(0, len(texts), BATCH))
    return np.concatenate([run(ids, mask) for ids, mask in pieces])


def rank_agreement(model: SparseModel, texts: Sequence[str], found: Rows, wanted: Rows, *, n: int = 10) -> float:
    """Mean share of the `n` best texts that both rank among their `n` best, over the texts' own first tokens."""
    queries = np.zeros_like(wanted)
    for row, ids in zip(queries, model.vocabulary.encode(texts, max_tokens=QUERY_TOKENS, special=False), strict=True):
        row[ids] = model.idf.numpy()[ids]
    return _same_best(queries @ found.T, queries @ wanted.T, n=n)


def _same_best(found: Rows, wanted: Rows, *, n: int) -> float:
    """Mean share of the `n` best texts of each query that are the same, by scores (queries, texts)."""
    n = min(n, found.shape[1])
    tops = [np.argsort(-scores, axis=1, kind="stable")[:, :n] for scores in (found, wanted)]
    return float(np.mean([len(set(a) & set(b)) / n for a, b in zip(*tops, strict=True)]))


def _difference(row: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """The largest difference of a weight; at the limit of active terms equal weights may change places.

    A term that only one of the two has counts by how far it is above the lightest term that the other kept.
    """
    both = (row > 0) & (wanted > 0)
    shared = float(np.abs(row - wanted)[both].max(initial=0.0))
    lightest = min((float(w[w > 0].min()) for w in (row, wanted) if (w > 0).any()), default=0.0)
    alone = np.maximum(row, wanted)[(row > 0) ^ (wanted > 0)]
    return max(shared, float(np.maximum(alone - lightest, 0).max(initial=0.0)))
