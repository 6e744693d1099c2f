"""Tests of `shards`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sparse_mining.shards import in_shards


def squares(work: Path, key: str, made: list[int], stop_at: int = 100) -> Iterator[int]:
    def make(first: int, last: int) -> list[int]:
        if first >= stop_at:
            raise KeyboardInterrupt
        made.append(first)
        return [i * i for i in range(first, last)]

    return in_shards(work, key, n_items=5, size=2, make=make, kind=int)


def test_pieces_come_in_order_and_add_up(tmp_path: Path) -> None:
    assert list(squares(tmp_path / "w", "a", [])) == [0, 1, 4, 9, 16]


def test_what_was_made_before_a_kill_is_not_made_again(tmp_path: Path) -> None:
    made: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        list(squares(tmp_path / "w", "a", made, stop_at=4))
    assert list(squares(tmp_path / "w", "a", made)) == [0, 1, 4, 9, 16]
    assert made == [0, 2, 4]


def test_pieces_of_another_fingerprint_are_thrown_away(tmp_path: Path) -> None:
    made: list[int] = []
    list(squares(tmp_path / "w", "a", made))
    list(squares(tmp_path / "w", "b", made))
    assert made == [0, 2, 4, 0, 2, 4]
