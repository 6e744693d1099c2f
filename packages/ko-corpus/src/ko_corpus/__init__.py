"""Collect, clean, deduplicate, chunk and split Korean text; queries out of structure, IDF, trends.

The names below are loaded when first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._files import InputError
    from .chunking import Lengths, chunk_document
    from .cleaning import clean, clean_text
    from .documents import Document, read_documents
    from .duplicates import Clusters, DuplicateCluster, deduplicate
    from .idf import decoded_keys, load_tokenizer, token_idf, trend_boosts, write_idf
    from .pairs import Pair, make_pairs
    from .passages import Passage, PassageMetadata, read_passages
    from .splitting import Shares, split_documents
    from .trends import Trend, TrendOptions, Trends, find_trends, read_trends

_MODULES = {
    "_files": ("InputError",),
    "chunking": ("Lengths", "chunk_document"),
    "cleaning": ("clean", "clean_text"),
    "documents": ("Document", "read_documents"),
    "duplicates": ("Clusters", "DuplicateCluster", "deduplicate"),
    "idf": ("decoded_keys", "load_tokenizer", "token_idf", "trend_boosts", "write_idf"),
    "pairs": ("Pair", "make_pairs"),
    "passages": ("Passage", "PassageMetadata", "read_passages"),
    "splitting": ("Shares", "split_documents"),
    "trends": ("Trend", "TrendOptions", "Trends", "find_trends", "read_trends"),
}

__all__ = [
    "Clusters",
    "Document",
    "DuplicateCluster",
    "InputError",
    "Lengths",
    "Pair",
    "Passage",
    "PassageMetadata",
    "Shares",
    "Trend",
    "TrendOptions",
    "Trends",
    "chunk_document",
    "clean",
    "clean_text",
    "decoded_keys",
    "deduplicate",
    "find_trends",
    "load_tokenizer",
    "make_pairs",
    "read_documents",
    "read_passages",
    "read_trends",
    "split_documents",
    "token_idf",
    "trend_boosts",
    "write_idf",
]


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
