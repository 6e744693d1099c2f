"""Tests of `groups`."""

from pathlib import Path

import pytest
from sparse_mining._files import InputError
from sparse_mining.groups import read_groups, write_groups


def test_the_golden_groups_come_out_as_they_went_in(golden: Path, tmp_path: Path) -> None:
    assert write_groups(tmp_path / "groups.jsonl", read_groups(golden / "groups.jsonl")) == 1
    assert (tmp_path / "groups.jsonl").read_bytes() == (golden / "groups.jsonl").read_bytes()


def test_lists_of_different_length_are_refused_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "groups.jsonl"
    file.write_text(
        '{"query":"q","docs":["a"],"scores":[],"q_id":"1","d_ids":["a"],"labels":["easy"],"sources":["x@1"]}\n'
    )
    with pytest.raises(InputError, match=r"groups\.jsonl:1: .*differ in length"):
        list(read_groups(file))
