"""Search a Korean corpus in every way that matters and turn results into training groups.

The names below are the public ones; each is imported from its module when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparse_mining.analysers import analyser
    from sparse_mining.bm25 import BM25, build
    from sparse_mining.embeddings import read_embeddings
    from sparse_mining.fusion import fuse
    from sparse_mining.groups import Group, read_groups, write_groups
    from sparse_mining.passages import Collection, Passage, Query, read_collection, read_queries
    from sparse_mining.ranking import Ranking
    from sparse_mining.runs import Hit, read_run, write_run
    from sparse_mining.searchers import Choices, Searcher, searcher
    from sparse_mining.settings import Settings
    from sparse_mining.terms import Analyses

__all__ = [
    "BM25",
    "Analyses",
    "Choices",
    "Collection",
    "Group",
    "Hit",
    "Passage",
    "Query",
    "Ranking",
    "Searcher",
    "Settings",
    "analyser",
    "build",
    "fuse",
    "read_collection",
    "read_embeddings",
    "read_groups",
    "read_queries",
    "read_run",
    "searcher",
    "write_groups",
    "write_run",
]

_MODULES = {
    "BM25": "bm25",
    "Analyses": "terms",
    "Choices": "searchers",
    "Collection": "passages",
    "Group": "groups",
    "Hit": "runs",
    "Passage": "passages",
    "Query": "passages",
    "Ranking": "ranking",
    "Searcher": "searchers",
    "Settings": "settings",
    "analyser": "analysers",
    "build": "bm25",
    "fuse": "fusion",
    "read_collection": "passages",
    "read_embeddings": "embeddings",
    "read_groups": "groups",
    "read_queries": "passages",
    "read_run": "runs",
    "searcher": "searchers",
    "write_groups": "groups",
    "write_run": "runs",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
