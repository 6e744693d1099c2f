import math
from pathlib import Path

import pytest
from sparse_encoder._files import InputError
from sparse_encoder.token_bm25 import TokenIndex, ndcg_at_10, read_qrels


def test_scores_are_bm25s() -> None:
    index = TokenIndex([[1, 1, 2], [2, 3], [3]], n_tokens=4)
    assert index.top([1], 10).tolist() == [0]
    assert index.top([3], 10).tolist() == [2, 1]
    assert index.top([0], 10).tolist() == []
    idf = math.log(1 + (3 - 1 + 0.5) / 1.5)
    saturated = 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2))
    start = index.offsets[1]
    assert idf * float(index.saturated[start]) == pytest.approx(idf * saturated)


def test_a_token_asked_twice_counts_twice() -> None:
    index = TokenIndex([[1], [2]], n_tokens=3)
    assert index.top([1, 2, 2], 2).tolist() == [1, 0]


def test_ndcg_counts_gains_as_judged() -> None:
    assert ndcg_at_10(["x", "b", "a"], {"a": 2, "b": 1}) == pytest.approx(
        (1 / math.log2(3) + 2 / 2) / (2 + 1 / math.log2(3))
    )
    assert ndcg_at_10(["a"], {}) == 0.0


def test_judgements_are_read_and_a_bad_line_is_named(golden: Path, tmp_path: Path) -> None:
    file = tmp_path / "test.tsv"
    file.write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\n", encoding="utf-8")
    assert read_qrels(file) == {"q1": {"d1": 2}}
    file.write_text("query-id\tcorpus-id\tscore\nq1\td1\tyes\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"test.tsv:2: is 'q1\\td1\\tyes'; wanted"):
        read_qrels(file)
