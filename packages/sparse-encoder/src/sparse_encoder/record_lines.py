"""Where the records of a JSON Lines file stand: blank lines hold none, so a record's place is not its line."""

import gzip
from collections.abc import Iterator
from pathlib import Path


def record_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yields the line, from 1, and the bytes of every record of a plain or gzipped file, in order."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
        yield from ((number, line) for number, line in enumerate(lines, start=1) if line.strip())


def line_numbers(path: Path) -> list[int]:
    """The line, from 1, of every record."""
    return [number for number, _ in record_lines(path)]
