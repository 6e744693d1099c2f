"""Discover, score, merge and apply a Korean-English synonym dictionary.

The names below load their module on first use, so that importing this package costs nothing.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ko_synonyms.dictionary import as_dictionary as as_dictionary
    from ko_synonyms.discovery import Discovery as Discovery
    from ko_synonyms.discovery import discover as discover
    from ko_synonyms.merging import merge as merge
    from ko_synonyms.mixing import mix as mix
    from ko_synonyms.transliteration import likeness as likeness

__version__ = version("ko-synonyms")

__all__ = ["Discovery", "__version__", "as_dictionary", "discover", "likeness", "merge", "mix"]

_HOMES = {
    "Discovery": "discovery",
    "as_dictionary": "dictionary",
    "discover": "discovery",
    "likeness": "transliteration",
    "merge": "merging",
    "mix": "mixing",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
