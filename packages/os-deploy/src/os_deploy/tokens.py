"""A tokenizer as the server sees it: which string each token id becomes.

ML Commons keys a sparse vector by `decode([id])` of the model's own `tokenizer.json`, so that string, not the
vocabulary's entry, is what index, query and idf.json must agree on.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

from tokenizers import Tokenizer

from os_deploy._files import InputError
from os_deploy.findings import Finding, Requirement

MAX_VOCABULARY = 32_768
"""OpenSearch's `sparse_vector` folds ids at this number (neural-search #1926)."""

PROBE = "도서관에서 한국어 검색을 배웠다"

VOCABULARY_SIZE = Requirement(
    check="vocabulary_size",
    wanted=f"at most {MAX_VOCABULARY} token ids",
    why="sparse_vector folds higher ids onto lower ones",
)
DECODED_KEYS = Requirement(
    check="decoded_keys",
    wanted="one string for each token that is not special",
    why="the server keys vectors by the decoded string, and of two tokens with one string the last wins",
)
HANGUL_KEPT = Requirement(
    check="hangul_kept",
    wanted="syllables that stay whole, as with BertNormalizer(strip_accents=False)",
    why="a tokenizer that takes Hangul apart to jamo matches letters instead of words",
)
HANGUL_KNOWN = Requirement(
    check="hangul_known",
    wanted="tokens of Hangul syllables",
    why="without them every Korean word is unknown and the server drops it",
)
IDF_KEYS = Requirement(
    check="idf_keys",
    wanted="exactly the decoded string of each token that is not special",
    why="a token that idf.json lacks weighs 1.0, and a key that no token decodes to is never used",
)
IDF_WEIGHTS = Requirement(
    check="idf_weights", wanted="finite numbers of 0 or more", why="rank_feature queries refuse negative weights"
)


class ServerTokenizer:
    """A `tokenizer.json` and the keys that the server makes with it."""

    def __init__(self, tokenizer_json: bytes, where: str) -> None:
        self.where = where
        """What an error calls it, such as `tokenizer.zip/tokenizer.json`."""
        try:
            self._tokenizer = Tokenizer.from_str(tokenizer_json.decode("utf-8"))
        except Exception as error:  # the Rust side raises bare Exception for every malformed file
            raise InputError(
                f"{where}: found no tokenizer that can be read ({error}), wanted a tokenizer.json"
            ) from error

    @cached_property
    def vocabulary(self) -> dict[str, int]:
        """Entry to id, added tokens included."""
        return dict(sorted(self._tokenizer.get_vocab(with_added_tokens=True).items(), key=lambda item: item[1]))

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """Ids of special tokens: the server leaves them out of every vector."""
        return frozenset(i for i, t in self._tokenizer.get_added_tokens_decoder().items() if t.special)

    @cached_property
    def keys(self) -> dict[int, str]:
        """Id to decoded string, for each token that is not special, in order of id."""
        ids = [i for i in self.vocabulary.values() if i not in self.special_ids]
        return {i: self._tokenizer.decode([i], skip_special_tokens=True) for i in ids}

    @property
    def n_ids(self) -> int:
        """One more than the highest id."""
        return max(self.vocabulary.values(), default=-1) + 1

    def normalize(self, text: str) -> str:
        """What the tokenizer's normalizer makes of a text."""
        normalizer = self._tokenizer.normalizer
        return str(normalizer.normalize_str(text)) if normalizer else text

    def encode(self, text: str) -> list[int]:
        """The token ids of a text, special ones included, cut where the tokenizer cuts."""
        return list(self._tokenizer.encode(text).ids)

    def query_weights(self, text: str, idf: Mapping[str, float]) -> dict[str, float]:
        """The query vector that a SPARSE_TOKENIZE model makes: each token once, weighted by `idf`, 1.0 where absent."""
        keys = dict.fromkeys(self.keys[i] for i in self.encode(text) if i not in self.special_ids)
        return {key: idf.get(key, 1.0) for key in keys if key}


def is_jamo(character: str) -> bool:
    """Whether a character is a letter of a taken-apart syllable (conjoining jamo).

    >>> [is_jamo(c) for c in ("ᄃ", "ᅩ", "도", "d")]
    [True, True, False, False]
    """
    return any(
        low <= character <= high for low, high in (("\u1100", "\u11ff"), ("\ua960", "\ua97f"), ("\ud7b0", "\ud7ff"))
    )


def is_syllable(character: str) -> bool:
    """Whether a character is a whole Hangul syllable.

    >>> [is_syllable(c) for c in ("도", "ᄃ", "d")]
    [True, False, False]
    """
    return "가" <= character <= "힣"


def check_tokenizer(tokenizer: ServerTokenizer) -> list[Finding]:
    """What OpenSearch needs of any tokenizer, and Korean of this one."""
    kept = tokenizer.normalize(PROBE)
    syllable_tokens = sum(any(map(is_syllable, key)) for key in tokenizer.keys.values())
    return [
        VOCABULARY_SIZE.met(tokenizer.n_ids <= MAX_VOCABULARY, f"{tokenizer.n_ids} token ids"),
        _check_keys(tokenizer),
        HANGUL_KEPT.met(not any(map(is_jamo, kept)), f"{PROBE.split()[0]!r} as {kept.split()[0]!r}"),
        HANGUL_KNOWN.met(syllable_tokens > 0, f"{syllable_tokens} tokens"),
    ]


def _check_keys(tokenizer: ServerTokenizer) -> Finding:
    entries = {i: entry for entry, i in tokenizer.vocabulary.items()}
    holders: dict[str, list[str]] = {}
    for token_id, key in tokenizer.keys.items():
        holders.setdefault(key, []).append(entries[token_id])
    shared = [f"{key!r} for {_some(held)}" for key, held in holders.items() if len(held) > 1 or not key]
    found = f"{len(shared)} that are shared or empty: {'; '.join(shared[:3])}" if shared else f"{len(holders)} strings"
    return DECODED_KEYS.met(not shared, found)


def check_idf(tokenizer: ServerTokenizer, idf: Mapping[str, float]) -> list[Finding]:
    """Whether `idf` weighs what the server asks for; keys of special tokens are allowed, and not needed."""
    wanted = set(tokenizer.keys.values()) - {""}
    special = {entry for entry, i in tokenizer.vocabulary.items() if i in tokenizer.special_ids}
    missing = sorted(wanted - idf.keys())
    unused = sorted(idf.keys() - wanted - special)
    parts = [f"{len(keys)} {name}: {_some(keys)}" for name, keys in (("missing", missing), ("unused", unused)) if keys]
    bad = [f"{key!r}: {weight}" for key, weight in idf.items() if not 0 <= weight < float("inf")]
    return [
        IDF_KEYS.met(not parts, "; ".join(parts) or f"{len(wanted)} keys"),
        IDF_WEIGHTS.met(
            not bad, "; ".join(bad[:3]) or f"{min(idf.values(), default=0):.3f} to {max(idf.values(), default=0):.3f}"
        ),
    ]


def _some(words: Sequence[str]) -> str:
    shown = ", ".join(repr(word) for word in words[:5])
    return f"{shown}, ..." if len(words) > 5 else shown
