"""Duplicates: documents that say the same, found by MinHash and confirmed by their exact likeness.

A corpus with copies teaches a model that a copy is a wrong answer; `load` keeps the first of each.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from .documents import Document

SHINGLE = 5
"""Characters in a shingle, counted without spaces and punctuation: about two Korean words."""

N_BANDS, N_ROWS = 16, 4
"""MinHash bands and their rows: of two texts with Jaccard .8, 99.98 % meet in a band; with .5, 64 %."""

ESTIMATE_SLACK = 0.2
"""How far below the threshold the estimate from the signatures may lie; its standard error is at most .0625."""

_UNIT = np.uint64(32)


class DuplicateCluster(msgspec.Struct, frozen=True, kw_only=True):
    """Documents that are taken for one, of the format `duplicate_clusters`."""

    cluster_id: str
    doc_ids: list[str]
    """The kept one first, the others in their order."""
    kept: str
    similarity: float
    """The least Jaccard similarity of a dropped document to the kept one."""
    kind: Literal["exact", "near"]
    """`exact` where all have the same letters in the same order."""


def shingles(text: str) -> NDArray[np.uint64]:
    """The distinct hashed character shingles of a text, sorted; case, spaces and punctuation do not count.

    Korean spacing varies from writer to writer, so it is left out. A text shorter than a shingle has one; an empty
    text has none.

    >>> len(shingles("희소 검색은 단어마다")), len(shingles("희소검색은 단어마다.")), len(shingles(""))
    (5, 5, 0)
    """
    codes = np.frombuffer(_letters(text).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    if len(codes) == 0:
        return codes
    length = min(SHINGLE, len(codes))
    hashed = np.zeros(len(codes) - length + 1, dtype=np.uint64)
    for offset in range(length):
        hashed = hashed * np.uint64(0x100000001B3) + codes[offset : offset + len(hashed)]
    return np.unique(_mix(hashed))


def jaccard(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    """|A and B| / |A or B| of two sorted sets; 1 for two empty ones.

    >>> jaccard(np.array([1, 2, 3], dtype=np.uint64), np.array([2, 3, 4], dtype=np.uint64))
    0.5
    """
    n_common = len(np.intersect1d(one, other, assume_unique=True))
    n_all = len(one) + len(other) - n_common
    return n_common / n_all if n_all else 1.0


def _letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).lower() if c.isalnum())


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele et al. 2014): a bijection in which every bit moves every other."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = values ^ (values >> np.uint64(31))
    return mixed


@dataclass(slots=True)
class Deduplicator:
    """Remembers the documents that it let pass, and says of a new one which of them it repeats.

    Holds in memory the text of every document let pass, and 64 numbers for each (Broder 1997).
    """

    threshold: float = 0.8
    """Jaccard similarity of the shingles from which two documents are one."""
    seed: int = 42
    _texts: list[str] = field(default_factory=list)
    _ids: list[str] = field(default_factory=list)
    _signatures: list[NDArray[np.uint32]] = field(default_factory=list)
    _exact: dict[bytes, int] = field(default_factory=dict)
    _bands: dict[tuple[int, bytes], list[int]] = field(default_factory=dict)
    _multipliers: NDArray[np.uint64] = field(init=False)

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ValueError(f"threshold is {self.threshold!r}; wanted above 0 and at most 1")
        random = np.random.default_rng(self.seed)
        self._multipliers = random.integers(1, 2**63, N_BANDS * N_ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)

    def original_of(self, document: Document) -> tuple[str, float] | None:
        """The id and similarity of the document that this one repeats; None where it is new (and is remembered)."""
        digest = hashlib.blake2b(_letters(document.text).encode(), digest_size=16).digest()
        if digest in self._exact:
            return self._ids[self._exact[digest]], 1.0
        own = shingles(document.text)
        signature = self._sign(own)
        bands = [(band, signature[band * N_ROWS : (band + 1) * N_ROWS].tobytes()) for band in range(N_BANDS)]
        found = self._closest(own, signature, {place for band in bands for place in self._bands.get(band, ())})
        if found is not None:
            return found
        place = len(self._texts)
        self._texts.append(document.text)
        self._ids.append(document.id)
        self._signatures.append(signature)
        self._exact[digest] = place
        for band in bands:
            self._bands.setdefault(band, []).append(place)
        return None

    def _sign(self, own: NDArray[np.uint64]) -> NDArray[np.uint32]:
        """(n_hashes,) the least hash of the set under each multiplier; all zero for the empty set."""
        if len(own) == 0:
            return np.zeros(len(self._multipliers), dtype=np.uint32)
        least = (own[None, :] * self._multipliers[:, None] >> _UNIT).min(axis=1)
        signature: NDArray[np.uint32] = least.astype(np.uint32)
        return signature

    def _closest(
        self, own: NDArray[np.uint64], signature: NDArray[np.uint32], places: set[int]
    ) -> tuple[str, float] | None:
        best: tuple[str, float] | None = None
        for place in sorted(places):
            if float((self._signatures[place] == signature).mean()) < self.threshold - ESTIMATE_SLACK:
                continue
            similarity = jaccard(own, shingles(self._texts[place]))
            if similarity >= self.threshold and (best is None or similarity > best[1]):
                best = self._ids[place], similarity
        return best


@dataclass(slots=True)
class Clusters:
    """Gathers what was dropped, by the document kept for it."""

    _members: dict[str, list[tuple[str, float]]] = field(default_factory=dict)

    @property
    def n_dropped(self) -> int:
        """How many documents were dropped."""
        return sum(map(len, self._members.values()))

    def add(self, dropped: str, kept: str, similarity: float) -> None:
        """Notes that one document was dropped for another."""
        self._members.setdefault(kept, []).append((dropped, similarity))

    def records(self) -> Iterator[DuplicateCluster]:
        """Yields the clusters, in the order in which their first copies came."""
        for number, (kept, members) in enumerate(self._members.items(), start=1):
            least = min(similarity for _, similarity in members)
            yield DuplicateCluster(
                cluster_id=f"c-{number}",
                doc_ids=[kept, *(doc_id for doc_id, _ in members)],
                kept=kept,
                similarity=round(least, 4),
                kind="exact" if least == 1.0 else "near",
            )


def deduplicate(documents: Iterable[Document], clusters: Clusters, *, threshold: float = 0.8) -> Iterator[Document]:
    """Yields the documents that repeat none before them, in order, and notes the others in `clusters`."""
    known = Deduplicator(threshold=threshold)
    for document in documents:
        original = known.original_of(document)
        if original is None:
            yield document
        else:
            clusters.add(document.id, *original)
