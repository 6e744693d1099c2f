"""IDF: how telling each token of a vocabulary is, keyed as OpenSearch decodes tokens.

The query side of an inference-free sparse model is this table and a tokenizer; a token missing from it counts 1.0.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer

from ._files import InputError, read_json, whole
from .token_morphemes import TokenMorpheme
from .trends import Trends

_BATCH = 1024
"""Texts tokenised at once."""

_DIGITS = 7
"""Decimals written: float32, which the server computes with, has no more."""


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of a `tokenizer.json` or of a folder that holds one, without truncation and padding."""
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"{file}: no such file; wanted a tokenizer.json or a folder that holds one")
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises nothing narrower
        raise InputError(f"{file}: is not a tokenizer.json: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def decoded_keys(tokenizer: Tokenizer) -> dict[int, str]:
    """Token id -> the key under which OpenSearch counts it, `decode([id])`, by id; special tokens are left out.

    InputError where two tokens decode alike, as in SentencePiece and byte-level BPE vocabularies: on the server one
    would overwrite the other.
    """
    special = {i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    keys: dict[int, str] = {}
    taken: dict[str, int] = {}
    for token_id in sorted(set(tokenizer.get_vocab(with_added_tokens=True).values()) - special):
        key = tokenizer.decode([token_id], skip_special_tokens=True)
        if key in taken:
            one, other = tokenizer.id_to_token(taken[key]), tokenizer.id_to_token(token_id)
            raise InputError(
                f"tokenizer: tokens {one!r} ({taken[key]}) and {other!r} ({token_id}) both decode to {key!r}, so that "
                f"OpenSearch cannot tell them apart; use a WordPiece vocabulary"
            )
        taken[key] = token_id
        keys[token_id] = key
    return keys


def inverse_document_frequency(n_documents: float, df: float) -> float:
    """ln(1 + (N - df + .5) / (df + .5)): above 0 even for a token that is everywhere.

    Source: Robertson and Zaragoza 2009, with Lucene's 1 + inside the logarithm.

    >>> round(inverse_document_frequency(3, 1), 7), round(inverse_document_frequency(2, 0), 7)
    (0.9808293, 1.7917595)
    """
    return math.log(1 + (n_documents - df + 0.5) / (df + 0.5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is known of tokens before a corpus is counted: the weights found in another, larger one."""

    weights: Mapping[str, float]
    n_passages: float
    """For how many passages of that corpus they count; the more, the less the counted corpus can change."""

    def counts(self, key: str) -> float:
        """Of those passages, how many hold the token: their share is exp(-weight), as weight = ln((N+1)/(df+.5)).

        >>> prior = Prior(weights={"검색": inverse_document_frequency(999, 99.5)}, n_passages=50)
        >>> round(prior.counts("검색"), 6)
        5.0
        """
        return self.n_passages * math.exp(-self.weights[key]) if key in self.weights else 0.0


NO_PRIOR = Prior(weights={}, n_passages=0)


ASKED_OFTEN = 3
"""Queries that must hold a token before their share of it counts."""


def query_ceilings(queries: Iterable[str], tokenizer: Tokenizer) -> dict[int, float]:
    """Token id -> the most that it may weigh, as many of the queries hold it.

    The words of asking (무엇인가요, how, the) are rare in passages, so that an IDF over passages alone takes them for
    telling; a token that many different queries share is not, however rare its passages.
    """
    n_queries, frequency = _frequencies(queries, tokenizer)
    return {i: inverse_document_frequency(n_queries, n) for i, n in frequency.items() if n >= ASKED_OFTEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustments:
    """What is known of tokens besides how many passages hold them."""

    boosts: Mapping[int, float] = field(default_factory=dict)
    """Token id -> factor."""
    ceilings: Mapping[int, float] = field(default_factory=dict)
    """Token id -> the most that it may weigh."""
    morphemes: Mapping[str, TokenMorpheme] = field(default_factory=dict)
    """Decoded key -> what the token stands for: see `TokenMorpheme.weighed`."""


def token_idf(
    texts: Iterable[str], tokenizer: Tokenizer, *, prior: Prior = NO_PRIOR, adjust: Adjustments = Adjustments()
) -> dict[str, float]:
    """Every token's weight by its decoded key, in the order of token ids; special tokens are left out.

    A token that is in no text has the highest weight, as a term never seen is the most telling one; `prior` adds what
    another corpus knows of it, as passages beside those counted. The weight is then judged by what the token stands
    for, boosted, and kept under its ceiling. InputError where there is no text, where two tokens decode alike or where
    the prior is of another tokenizer.
    """
    keys = decoded_keys(tokenizer)
    unknown = sorted(prior.weights.keys() - set(keys.values()))
    if unknown:
        raise InputError(f"the prior was made with another tokenizer: {unknown[0]!r} and {len(unknown) - 1} more")
    n_documents, document_frequency = _frequencies(texts, tokenizer)
    if n_documents == 0:
        raise InputError("no passages: wanted at least one to count tokens in")
    n = n_documents + prior.n_passages
    weights: dict[str, float] = {}
    for i, key in keys.items():
        idf = inverse_document_frequency(n, document_frequency[i] + prior.counts(key))
        if key in adjust.morphemes:
            idf = adjust.morphemes[key].weighed(idf)
        weights[key] = round(min(idf * adjust.boosts.get(i, 1.0), adjust.ceilings.get(i, math.inf)), _DIGITS)
    return weights


def write_idf(path: Path, weights: Mapping[str, float]) -> None:
    """Writes `idf.json`, whole or not at all; keys are left as the server decodes them, NFC or not."""
    with whole(path) as part:
        part.write_text(json.dumps(weights, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="\n")


def read_idf(path: Path) -> dict[str, float]:
    """Reads an `idf.json`; InputError where it is none."""
    weights = read_json(path, dict[str, float])
    bad = next((key for key, weight in weights.items() if not 0 <= weight < math.inf), None)
    if bad is not None:
        raise InputError(f"{path}: the weight of {bad!r} is {weights[bad]!r}; wanted a number of at least 0")
    return weights


def trend_boosts(trends: Trends, tokenizer: Tokenizer, *, max_boost: float = 1.5) -> dict[int, float]:
    """Token id -> the highest boost of the trend terms that it is part of, between 1 and `max_boost`.

    Tokens without a letter, such as the number in `GLP-1`, are not raised.
    """
    boosts: dict[int, float] = {}
    for ids, trend in zip(_token_ids((t.term for t in trends.terms), tokenizer), trends.terms, strict=True):
        for token_id in ids:
            if any(c.isalpha() for c in tokenizer.decode([token_id])):
                boosts[token_id] = min(max(trend.boost, boosts.get(token_id, 1.0)), max_boost)
    return boosts


def _frequencies(texts: Iterable[str], tokenizer: Tokenizer) -> tuple[int, Counter[int]]:
    """The number of texts, and in how many of them each token is."""
    n_texts = 0
    frequency: Counter[int] = Counter()
    for ids in _token_ids(texts, tokenizer):
        n_texts += 1
        frequency.update(set(ids))
    return n_texts, frequency


def _token_ids(texts: Iterable[str], tokenizer: Tokenizer) -> Iterator[list[int]]:
    for batch in _batches(texts):
        for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
            yield encoding.ids


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    stream = iter(texts)
    while batch := list(islice(stream, _BATCH)):
        yield batch
