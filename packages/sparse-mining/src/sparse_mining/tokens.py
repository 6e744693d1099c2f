"""Queries as bags of a tokenizer's tokens, each weighted by its IDF: the query side that needs no model.

This is what OpenSearch does with a SPARSE_TOKENIZE model, so that a run made here is what the server would find.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tokenizers import Tokenizer

from sparse_mining._files import InputError, read_json

SERVER_DEFAULT = 1.0
"""What OpenSearch gives a token that idf.json does not name."""


class WeightedTokens(NamedTuple):
    """Distinct token ids, ascending, and their weights."""

    token_ids: list[int]
    weights: list[float]


def load_tokenizer(path: Path) -> Tokenizer:
    """Loads a `tokenizer.json` that neither cuts off nor pads; InputError where it is none."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise InputError(f"{path}: is not a tokenizer.json: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def read_idf(path: Path) -> dict[str, float]:
    """Reads `{token: weight}`."""
    return read_json(path, dict[str, float])


def weigh_queries(texts: Iterable[str], *, tokenizer: Tokenizer, idf: Mapping[str, float]) -> Iterator[WeightedTokens]:
    """Yields each text's distinct tokens with their IDF; special tokens are left out, as are weights of 0 and below."""
    special = {i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    weights: dict[int, float] = {}
    for text in texts:
        found = sorted(set(tokenizer.encode(text, add_special_tokens=False).ids) - special)
        for token_id in found:
            if token_id not in weights:
                key = tokenizer.decode([token_id], skip_special_tokens=False)
                weights[token_id] = idf.get(key, SERVER_DEFAULT)
        kept = [token_id for token_id in found if weights[token_id] > 0]
        yield WeightedTokens(kept, [weights[token_id] for token_id in kept])
