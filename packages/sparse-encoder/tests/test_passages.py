"""Passages and queries as BEIR keeps them."""

import gzip
from pathlib import Path

import pytest
from sparse_encoder._files import InputError
from sparse_encoder.passages import read_passages


@pytest.mark.parametrize("name", ["corpus.jsonl", "corpus.jsonl.gz"])
def test_an_id_that_comes_again_is_named_by_both_lines(tmp_path: Path, name: str) -> None:
    lines = '{"_id": "a", "text": "가"}\n\n{"_id": "b", "text": "나"}\n{"_id": "a", "text": "다"}\n'.encode()
    (tmp_path / name).write_bytes(gzip.compress(lines) if name.endswith(".gz") else lines)
    with pytest.raises(InputError, match=r"corpus\.jsonl(\.gz)?:4: _id 'a' was that of line 1 too; wanted one line"):
        list(read_passages(tmp_path / name))
