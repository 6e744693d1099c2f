"""Korean sparse encoders: tokenizer, training, encoding, inspection and export. Importing this loads nothing heavy."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparse_encoder.encoding import encode_texts
    from sparse_encoder.explaining import explain
    from sparse_encoder.exporting import export
    from sparse_encoder.inspection import inspect
    from sparse_encoder.model_folder import SparseModel, read_model, write_model
    from sparse_encoder.pruning import Pruning
    from sparse_encoder.query_side import read_query_side
    from sparse_encoder.recipe import Recipe, read_recipe
    from sparse_encoder.tokenizer_build import build_tokenizer, save_tokenizer
    from sparse_encoder.training import train
    from sparse_encoder.vectors import Vector, read_vectors, write_vectors

_HOME = {
    "Pruning": "pruning",
    "Recipe": "recipe",
    "SparseModel": "model_folder",
    "Vector": "vectors",
    "build_tokenizer": "tokenizer_build",
    "encode_texts": "encoding",
    "explain": "explaining",
    "export": "exporting",
    "inspect": "inspection",
    "read_model": "model_folder",
    "read_query_side": "query_side",
    "read_recipe": "recipe",
    "read_vectors": "vectors",
    "save_tokenizer": "tokenizer_build",
    "train": "training",
    "write_model": "model_folder",
    "write_vectors": "vectors",
}

__all__ = [
    "Pruning",
    "Recipe",
    "SparseModel",
    "Vector",
    "build_tokenizer",
    "encode_texts",
    "explain",
    "export",
    "inspect",
    "read_model",
    "read_query_side",
    "read_recipe",
    "read_vectors",
    "save_tokenizer",
    "train",
    "write_model",
    "write_vectors",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"sparse_encoder.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
