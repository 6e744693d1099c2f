"""Queries to sparse vectors by whatever query side a model has: a bag of tokens, the document side, or an encoder."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sparse_encoder.encoding import TorchEncoder
from sparse_encoder.model_folder import SparseModel
from sparse_encoder.pruning import Pruning
from sparse_encoder.query_side import QuerySide


def query_model(model: SparseModel) -> SparseModel:
    """The encoder of a model's queries as a model of its own; the model itself where its queries are bags of tokens.

    A second encoder counts no tokens: the lexical channel is the document side's.
    """
    if model.query is None or model.query is model.bert:
        return model
    return replace(model, bert=model.query, query=model.query, lexical=None)


def query_side(model: SparseModel) -> QuerySide:
    """The query side of a model whose queries are bags of tokens."""
    return QuerySide(
        vocabulary=model.vocabulary,
        idf=model.idf.numpy(),
        max_tokens=model.max_tokens,
        max_active_terms=model.max_active_terms,
    )


def encode_queries(
    model: SparseModel, queries: Sequence[str], *, device: str = "cpu"
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Token ids, ascending, and weights of each query, in the order given; `device` is where a network runs."""
    if model.query is not None:
        encoder = TorchEncoder(query_model(model), device=device)
        return encoder.encode(queries, pruning=Pruning(top_k=model.max_active_terms))
    return [(v.token_ids, v.weights) for v in query_side(model).encode([("", query) for query in queries])]
