"""Settings of BM25: which variant weighs terms, and how.

Apart from the index itself, so that the command line can offer them without importing numpy.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from sparse_mining._files import InputError

Variant = Literal["lucene", "okapi", "plus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How terms are weighed."""

    variant: Variant = "lucene"
    k1: float = 1.2
    """Where term frequency saturates."""
    b: float = 0.75
    """How much of the document's length is discounted, 0 to 1."""
    double: bool = False
    """Keep impacts as float64 and not as float32."""

    def __post_init__(self) -> None:
        if self.variant not in get_args(Variant):
            raise InputError(f"BM25 variant {self.variant!r} is not known: wanted one of {get_args(Variant)}")
        if not self.k1 >= 0 or not 0 <= self.b <= 1:
            raise InputError(f"BM25 wants k1 >= 0 and 0 <= b <= 1, found k1={self.k1!r} b={self.b!r}")
