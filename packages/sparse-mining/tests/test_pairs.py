"""Tests of `pairs`."""

from pathlib import Path

import msgspec
import pytest
from sparse_mining._files import InputError
from sparse_mining.pairs import Pair, read_pairs
from sparse_mining.passages import read_collection


def test_the_golden_pairs_come_out_as_they_went_in(golden: Path) -> None:
    pairs = read_pairs([golden / "pairs.jsonl"], read_collection(golden / "passages"))
    assert b"".join(msgspec.json.encode(p) + b"\n" for p in pairs) == (golden / "pairs.jsonl").read_bytes()


def test_a_pair_of_an_unknown_passage_is_named(tmp_path: Path, golden: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_bytes(msgspec.json.encode(Pair(query_id="q", query="색인", doc_id="no#1", kind="title")))
    with pytest.raises(InputError, match=r"pair 1, query_id 'q': doc_id 'no#1' is not in"):
        read_pairs([file], read_collection(golden / "passages"))


def test_an_unknown_kind_is_named_with_its_line(tmp_path: Path, golden: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"query_id":"q","query":"a","doc_id":"doc-1#0","kind":"guess"}\n')
    with pytest.raises(InputError, match=r"pairs\.jsonl:1: 'kind'"):
        read_pairs([file], read_collection(golden / "passages"))
