"""Splitting: which documents are for training, which for validation, which for testing.

By document, so that no passage of a test document was trained on; by hash, so that the order of files is no matter.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "val", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How much of the documents goes where, in any unit."""

    train: float = 80
    val: float = 10
    test: float = 10

    def __post_init__(self) -> None:
        if min(self.train, self.val, self.test) < 0 or self.train + self.val + self.test <= 0:
            raise ValueError(f"shares {self.train}, {self.val}, {self.test}: wanted none below 0 and one above")

    @classmethod
    def parse(cls, text: str) -> "Shares":
        """Reads `train,val,test`; ValueError where it is not three numbers.

        >>> Shares.parse("80,10,10")
        Shares(train=80.0, val=10.0, test=10.0)
        """
        parts = text.split(",")
        try:
            train, val, test = (float(part) for part in parts)
        except ValueError as error:
            raise ValueError(f"{text!r}: wanted three numbers such as 80,10,10") from error
        return cls(train=train, val=val, test=test)


def split_documents(document_ids: Iterable[str], shares: Shares, *, seed: int) -> dict[str, Split]:
    """Each document's split, in the given order of documents; shares are met to within half a document.

    The order that is cut is that of sha256 of seed and id, so a document's place hangs on nothing but the two; adding
    documents moves only those near a cut.

    >>> split_documents(["a", "b", "c", "d", "e"], Shares(train=60, val=20, test=20), seed=42)
    {'a': 'train', 'b': 'train', 'c': 'train', 'd': 'val', 'e': 'test'}
    """
    ids = list(dict.fromkeys(document_ids))
    shuffled = sorted(ids, key=lambda document_id: hashlib.sha256(f"{seed}:{document_id}".encode()).digest())
    total = shares.train + shares.val + shares.test
    train_end = round(len(ids) * shares.train / total)
    val_end = round(len(ids) * (shares.train + shares.val) / total)
    split: dict[str, Split] = {}
    for place, document_id in enumerate(shuffled):
        split[document_id] = "train" if place < train_end else "val" if place < val_end else "test"
    return {document_id: split[document_id] for document_id in ids}
