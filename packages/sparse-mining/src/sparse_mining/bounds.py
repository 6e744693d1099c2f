"""Bounds on ranks and scores: candidates too close to the positive to be trusted, or too far from it to teach anything.

Apart from the filters that know texts and ids, because bounds know nothing but two scores of one searcher.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from sparse_mining._files import InputError

Crossed = Literal["floor", "ceiling", "margin"]

ANY = ""
"""The name under which a bound for every miner stands."""


class Window(NamedTuple):
    """Ranks from 1 that hard negatives are sought in, ends included."""

    first: int = 1
    last: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """How far below its positive a negative must score; off where both are None."""

    relative: float | None = 0.05
    """Share of the positive's score: NV-Retriever's TopK-PercPos keeps scores under (1 - .05) of it."""
    absolute: float | None = None
    rank: int = 0
    """A positive that the miner ranks lower stands as high as its result of this rank; 0: where it stands."""

    def reference(self, own: float, found: Sequence[float]) -> float:
        """The score that a positive of score `own` counts with, beside the scores of what its miner found, best first.

        A weak miner ranks the positive itself so low that nothing it finds is below it; the margin then says nothing
        of the candidates and would take them all.

        >>> Margin(rank=2).reference(3.0, [9.0, 8.0, 7.0]), Margin().reference(3.0, [9.0, 8.0, 7.0])
        (8.0, 3.0)
        """
        return max(own, found[self.rank - 1]) if own > 0 and 0 < self.rank <= len(found) else own

    def holds(self, score: float, positive: float) -> bool:
        """Whether a negative of that score may stay; a positive scored 0 or below says nothing, so all may.

        Source: Moreira et al. 2024, arXiv:2407.15831.

        >>> Margin(relative=0.05).holds(9.6, 10.0), Margin(relative=0.05).holds(9.4, 10.0)
        (False, True)
        """
        if positive <= 0:
            return True
        if self.relative is not None and score > positive * (1 - self.relative):
            return False
        return self.absolute is None or score <= positive - self.absolute


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the score of a negative must keep within; floors and ceilings by miner, since no two score alike."""

    margin: Margin = field(default_factory=Margin)
    floors: Mapping[str, float] = field(default_factory=dict)
    """Lowest score by miner; under `ANY` that of those not named."""
    ceilings: Mapping[str, float] = field(default_factory=dict)

    def crossed(self, miner: str, score: float, positive: float) -> Crossed | None:
        """The bound that a candidate of this score crosses, beside a positive of that score; None where it may stay.

        >>> Bounds(floors={"bm25": 2.0}).crossed("bm25", 1.5, 10.0)
        'floor'
        """
        if score < self.floors.get(miner, self.floors.get(ANY, -math.inf)):
            return "floor"
        if score > self.ceilings.get(miner, self.ceilings.get(ANY, math.inf)):
            return "ceiling"
        return None if self.margin.holds(score, positive) else "margin"


def by_miner(texts: Sequence[str], miners: Sequence[str], *, option: str) -> dict[str, float]:
    """Scores as the command line gives them, `5` for all miners or `bm25=5` for one; InputError where one is not so.

    >>> by_miner(["bm25=5", "0.2"], ["bm25", "dense"], option="--min-score")
    {'bm25': 5.0, '': 0.2}
    """
    found: dict[str, float] = {}
    for text in texts:
        miner, _, number = text.rpartition("=")
        try:
            score = float(number)
        except ValueError as error:
            raise InputError(f"{option} {text!r}: wanted a number or MINER=NUMBER") from error
        if math.isnan(score) or (miner != ANY and miner not in miners):
            raise InputError(f"{option} {text!r}: wanted a number for all miners or for one of {', '.join(miners)}")
        found[miner] = score
    return found


def window(text: str) -> Window:
    """Ranks as the command line gives them.

    >>> window("10:100")
    Window(first=10, last=100)
    """
    first, _, last = text.partition(":")
    if not first.isdecimal() or not last.isdecimal() or not 1 <= int(first) <= int(last):
        raise InputError(f"--window {text!r}: wanted FIRST:LAST with 1 <= FIRST <= LAST, such as 10:100")
    return Window(int(first), int(last))
