"""Models of sentence-transformers, from a folder or the hub: what they want before a text, and their loading.

The library brings torch, which takes seconds to import: only what runs a model asks for it.
"""

from types import ModuleType

PREFIXES = {"e5": ("query: ", "passage: ")}
"""What a family of models wants before a query and before a passage, by a part of its name."""


def prefixes_of(path: str) -> tuple[str, str]:
    """The prefixes that a model wants, by its name.

    >>> prefixes_of("intfloat/multilingual-e5-large"), prefixes_of("BAAI/bge-m3")
    (('query: ', 'passage: '), ('', ''))
    """
    name = path.rstrip("/").rpartition("/")[2].lower()
    return next((prefixes for part, prefixes in PREFIXES.items() if part in name.split("-")), ("", ""))


def sentence_transformers() -> ModuleType:
    """The library; ImportError names the extra that brings it."""
    try:
        import sentence_transformers
    except ImportError as error:
        raise ImportError('models want sentence-transformers: pip install "sparse-mining[dense]"') from error
    found: ModuleType = sentence_transformers
    return found
