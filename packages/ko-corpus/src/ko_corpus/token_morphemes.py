"""What the tokens of a vocabulary stand for, as `sparse-encoder tokenizer morphemes` finds it; read by the IDF."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from ._files import InputError, check_version, read_json

VERSION = 1

LEAST = 0.01
"""The weight of a token that is grammar alone: Lucene refuses a weight of 0 in a query."""


class TokenMorpheme(msgspec.Struct, frozen=True, kw_only=True):
    """What one token stands for."""

    content: float
    """Of its occurrences, those in which it stands for a word, and not for a particle or an ending."""
    general_idf: float
    """How telling its morphemes are in general Korean, on average."""

    def weighed(self, idf: float) -> float:
        """The mean of what a corpus says of the token, as far as it is a word, and of what general Korean says.

        A corpus of one field takes everyday words for telling since it hardly has them, and endings of speech above
        all (`##을까`, `됐`): both are common words, and an asker writes them.

        >>> TokenMorpheme(content=0.5, general_idf=3.0).weighed(8.0), TokenMorpheme(content=0, general_idf=0).weighed(9)
        (3.5, 0.01)
        """
        return max((self.content * idf + self.general_idf) / 2, LEAST)


class _Table(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of docs/formats/token_morphemes.md."""

    version: int
    tokens: dict[str, TokenMorpheme]


def read_token_morphemes(path: Path, keys: Iterable[str]) -> dict[str, TokenMorpheme]:
    """The table by token; InputError where it knows tokens that are not among `keys`: it is of another tokenizer."""
    table = read_json(path, _Table)
    check_version(path, "token_morphemes", table.version)
    unknown = sorted(table.tokens.keys() - set(keys))
    if unknown:
        raise InputError(
            f"{path}: was made with another tokenizer: {unknown[0]!r} and {len(unknown) - 1} more are no tokens of "
            f"this one; make it again: sparse-encoder tokenizer morphemes"
        )
    return table.tokens
