"""The tokenizer of a model and what training, serving and checking need to know of its vocabulary.

OpenSearch keys its vectors by decoded token strings, so the vocabulary is also the alphabet of every vector.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer

from sparse_encoder._files import InputError, read_json
from sparse_encoder.tokenizer_build import ROLES, SPECIAL_TOKENS, bare


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """A fast tokenizer with its tokens in order of id; texts are cut by it, never padded or truncated by it."""

    tokenizer: Tokenizer
    tokens: tuple[str, ...]

    @cached_property
    def sha256(self) -> str:
        """The hash that vectors carry: of the tokens as a JSON list."""
        return vocabulary_sha256(self.tokens)

    @cached_property
    def special_ids(self) -> tuple[int, ...]:
        """Ids of tokens that are no text: never active in a vector."""
        added = self.tokenizer.get_added_tokens_decoder()
        return tuple(sorted(i for i, token in added.items() if token.special))

    @cached_property
    def ids(self) -> dict[str, int]:
        """Token to id."""
        return {token: i for i, token in enumerate(self.tokens)}

    def id_of(self, *names: str) -> int:
        """The id of the first of `names` that the vocabulary has, such as `[CLS]` or `<s>`."""
        for name in names:
            if name in self.ids:
                return self.ids[name]
        raise InputError(f"the tokenizer has none of the tokens {names!r}")

    def encode(self, texts: Sequence[str], *, max_tokens: int, special: bool) -> list[list[int]]:
        """Token ids of each text, at most `max_tokens`, with [CLS] and [SEP] inside that number if `special`."""
        try:
            encoded = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        except TypeError as error:  # its words for lone surrogates, which Python reads bytes of a command line as
            bad = [text for text in texts if not _is_text(text)]
            if not bad:
                raise
            raise InputError(f"the text {bad[0]!r} holds bytes that are not UTF-8; wanted text in UTF-8") from error
        if not special:
            return [e.ids[:max_tokens] for e in encoded]
        first, last = self.id_of(*ROLES["cls_token"]), self.id_of(*ROLES["sep_token"])
        return [[first, *e.ids[: max_tokens - 2], last] for e in encoded]

    def twins(self) -> list[tuple[int, int]]:
        """Pairs (id of `엔진`, id of `##엔진`): one string, at a word's start and inside one."""
        pairs = ((self.ids.get(bare(token)), i) for i, token in enumerate(self.tokens) if bare(token) != token)
        return [(start, inside) for start, inside in pairs if start is not None]


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_vocabulary(path: Path) -> Vocabulary:
    """Reads `tokenizer.json`, or the one in a folder."""
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"{file}: no such file; make one with: sparse-encoder tokenizer build PASSAGES -o {path}")
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the Rust library raises bare Exception
        raise InputError(f"{file}: is not a tokenizer.json: {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    by_token = tokenizer.get_vocab(with_added_tokens=True)
    tokens = tuple(sorted(by_token, key=lambda token: by_token[token]))
    if [by_token[token] for token in tokens] != list(range(len(tokens))):
        raise InputError(f"{file}: the token ids have gaps; wanted 0 to {len(tokens) - 1}, each once")
    return Vocabulary(tokenizer=tokenizer, tokens=tokens)


def vocabulary_sha256(tokens: Sequence[str]) -> str:
    """Sha256 of the tokens in order of id, as compact JSON in UTF-8.

    >>> vocabulary_sha256(["검색", "##인"])[:8]
    '7f3603b3'
    """
    text = json.dumps(list(tokens), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_idf(path: Path, vocabulary: Vocabulary) -> list[float]:
    """The weight of every token id from OpenSearch's `idf.json`; special tokens weigh 0.

    Every other token must be there: OpenSearch weighs an absent one 1.0 and sentence-transformers 0.0.
    """
    weights = read_json(path, dict[str, float])
    unknown = sorted(weights.keys() - vocabulary.ids.keys())
    special = set(vocabulary.special_ids)
    absent = [t for i, t in enumerate(vocabulary.tokens) if i not in special and t not in weights]
    if unknown or absent:
        raise InputError(
            f"{path}: was made with another tokenizer: {len(unknown)} of its tokens are unknown here "
            f"({', '.join(map(repr, unknown[:3]))}), {len(absent)} of {len(vocabulary.tokens)} are absent "
            f"({', '.join(map(repr, absent[:3]))}); make it again with this tokenizer"
        )
    bad = [t for t, w in weights.items() if not 0 <= w < float("inf")]
    if bad:
        raise InputError(f"{path}: the weight of {bad[0]!r} is {weights[bad[0]]!r}; wanted a number of at least 0")
    return [0.0 if i in special else weights[t] for i, t in enumerate(vocabulary.tokens)]


def count_idf(documents: Sequence[Sequence[int]], vocabulary: Vocabulary) -> list[float]:
    """ln(1 + (N - df + .5) / (df + .5)) of every token id over documents as token ids; special tokens weigh 0."""
    frequency = Counter(token for document in documents for token in set(document))
    special, n = set(vocabulary.special_ids), len(documents)
    return [
        0.0 if i in special else math.log(1 + (n - frequency[i] + 0.5) / (frequency[i] + 0.5))
        for i in range(len(vocabulary.tokens))
    ]


__all__ = ["SPECIAL_TOKENS", "Vocabulary", "count_idf", "read_idf", "read_vocabulary", "vocabulary_sha256"]
