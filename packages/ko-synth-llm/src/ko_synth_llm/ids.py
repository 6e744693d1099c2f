"""Ids of records must differ: an answer's id is made of its record's, so two of one id could not be told apart.

Said of a file before anything is asked, and of a stream when the second record with an id comes.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self

from ._files import InputError
from .records import Record, read_records

N_AT_ONCE = 4096
"""Records of a file whose ids are noted at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A record that has the id of an earlier one."""

    position: int
    """Among the records given, from 0."""
    id: str
    first: int
    """Which record, of all so far and from 1, has the id already."""


class SeenIds:
    """Ids so far, as 8-byte hashes in a temporary SQLite file: memory stays the same however many there are.

    Two of a million different ids pass for one with a chance of 3 in a hundred million.
    """

    def __init__(self, field: str) -> None:
        self.field = field
        """The field of a record that holds its id; a record without one has none to repeat."""
        self.n_records = 0
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("CREATE TABLE ids (hash INTEGER PRIMARY KEY, number INTEGER)")
        self._db.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def repeat(self, records: Sequence[Record]) -> Repeat | None:
        """Notes the ids of the next records; returns the first record that repeats one, if any does.

        >>> with SeenIds("id") as seen:
        ...     seen.repeat([Record(fields={"id": name}, where="") for name in "abc"])
        ...     seen.repeat([Record(fields={"id": name}, where="") for name in "db"])
        Repeat(position=1, id='b', first=2)
        """
        found = [record.fields.get(self.field) for record in records]
        rows = [
            (hash(name), number)
            for number, name in enumerate(found, self.n_records + 1)
            if isinstance(name, str) and name
        ]
        n_before = self._db.total_changes
        try:
            self._db.executemany("INSERT INTO ids VALUES (?, ?) ON CONFLICT DO NOTHING", rows)
        except sqlite3.Error as error:
            raise InputError(f"the ids of records cannot be noted in a temporary file: {error}") from error
        n_new = self._db.total_changes - n_before
        repeat = None if n_new == len(rows) else self._first_repeat(rows, found)
        self.n_records += len(records)
        return repeat

    def _first_repeat(self, rows: Sequence[tuple[int, int]], found: Sequence[object]) -> Repeat | None:
        for key, number in rows:
            ((first,),) = self._db.execute("SELECT number FROM ids WHERE hash = ?", [key])
            if first != number:
                position = number - self.n_records - 1
                return Repeat(position=position, id=str(found[position]), first=first)
        return None


def check_file(path: Path, field: str) -> int:
    """How many records a file holds, after reading all; InputError where one cannot be read or repeats an id."""
    records = read_records(path)
    with SeenIds(field) as seen:
        while some := list(islice(records, N_AT_ONCE)):
            if repeat := seen.repeat(some):
                first = next(islice(read_records(path), repeat.first - 1, None))
                raise InputError(
                    f"{some[repeat.position].where}: the id {repeat.id!r} stands on line "
                    f"{first.where.rpartition(':')[2]} already; ids must differ"
                )
        return seen.n_records
