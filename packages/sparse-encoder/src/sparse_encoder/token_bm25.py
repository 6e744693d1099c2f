"""BM25 over the tokens of a tokenizer, and nDCG@10: what a tokenizer is worth in search before any model is trained.

Source: Robertson and Zaragoza 2009 with Lucene's IDF, k1 1.2, b .75; nDCG as trec_eval has it, gains as judged.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparse_encoder._files import InputError

K1, B = 1.2, 0.75
Qrels = Mapping[str, Mapping[str, int]]
"""Relevance by query id and doc id."""


class TokenIndex:
    """Passages as token ids, ready to be scored; holds every (token, passage) pair in memory, 12 bytes each."""

    def __init__(self, documents: Sequence[Sequence[int]], *, n_tokens: int) -> None:
        counts = [Counter(document) for document in documents]
        tokens = np.array([t for c in counts for t in c], dtype=np.int64)
        places = np.repeat(np.arange(len(documents)), [len(c) for c in counts])
        tf = np.array([n for c in counts for n in c.values()], dtype=np.float32)
        lengths = np.array([len(document) for document in documents], dtype=np.float32)
        norm = K1 * (1 - B + B * lengths / max(1.0, float(lengths.mean())))
        order = np.argsort(tokens, kind="stable")
        self.places: NDArray[np.int64] = places[order]
        self.saturated = (tf * (K1 + 1) / (tf + norm[places]))[order]
        self.offsets = np.searchsorted(tokens[order], np.arange(n_tokens + 1))
        self.n_documents = len(documents)

    def top(self, query: Sequence[int], k: int) -> NDArray[np.int64]:
        """The `k` best passages, the best first, ties in order of passages; those that share no token are left out."""
        scores = np.zeros(self.n_documents, dtype=np.float32)
        for token, n in Counter(query).items():
            start, end = self.offsets[token], self.offsets[token + 1]
            df = int(end - start)
            idf = math.log(1 + (self.n_documents - df + 0.5) / (df + 0.5))
            scores[self.places[start:end]] += n * idf * self.saturated[start:end]
        best = np.argsort(-scores, kind="stable")[:k]
        return best[scores[best] > 0]


def ndcg_at_10(ranked: Sequence[str], judged: Mapping[str, int]) -> float:
    """nDCG@10 of a ranked list of doc ids; 0 where nothing is relevant.

    >>> round(ndcg_at_10(["b", "a"], {"a": 1}), 4)
    0.6309
    """
    ideal = sum(gain / math.log2(k + 2) for k, gain in enumerate(sorted(judged.values(), reverse=True)[:10]))
    found = sum(max(judged.get(doc, 0), 0) / math.log2(k + 2) for k, doc in enumerate(ranked[:10]))
    return found / ideal if ideal > 0 else 0.0


def read_qrels(path: Path) -> Qrels:
    """Reads BEIR's TSV of judgements, its header included; InputError names path and line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    found: dict[str, dict[str, int]] = {}
    for number, line in enumerate(lines, start=1):
        fields = line.split("\t")
        if number == 1 and fields[0] == "query-id":
            continue
        if len(fields) != 3 or not fields[2].lstrip("-").isdigit():
            raise InputError(f"{path}:{number}: is {line!r}; wanted query id, doc id and relevance between tabs")
        found.setdefault(fields[0], {})[fields[1]] = int(fields[2])
    return found
