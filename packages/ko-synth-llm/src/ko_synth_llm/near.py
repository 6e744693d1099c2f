"""Finds earlier texts that are nearly equal, exactly and as a stream.

Prefix filtering: two sets with Jaccard similarity of at least t share one of their first n - ceil(t n) + 1 shingles
in any common order, so only these are indexed. Source: Chaudhuri, Ganti, Kaushik 2006, doi:10.1109/ICDE.2006.9.
"""

import math
from collections import defaultdict

from .scripts import shingles


class NearTexts:
    """Texts by name, and those among them that are at least `threshold` similar to another."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self._sets: list[frozenset[str]] = []
        self._names: list[str] = []
        self._by_shingle: dict[str, list[int]] = defaultdict(list)

    def find(self, text: str) -> list[str]:
        """The names of the similar texts, in the order they were added.

        >>> near = NearTexts(0.6)
        >>> near.add("a", "희소 검색이란 무엇인가")
        >>> near.find("희소 검색이란 무엇인가요"), near.find("역색인의 구조")
        (['a'], [])
        """
        own = shingles(text)
        met = {number for shingle in self._prefix(own) for number in self._by_shingle.get(shingle, [])}
        return [self._names[number] for number in sorted(met) if self._similarity(own, number) >= self.threshold]

    def add(self, name: str, text: str) -> None:
        own = shingles(text)
        for shingle in self._prefix(own):
            self._by_shingle[shingle].append(len(self._sets))
        self._sets.append(own)
        self._names.append(name)

    def _prefix(self, own: frozenset[str]) -> list[str]:
        return sorted(own)[: len(own) - math.ceil(self.threshold * len(own)) + 1]

    def _similarity(self, own: frozenset[str], number: int) -> float:
        other = self._sets[number]
        return len(own & other) / len(own | other)
