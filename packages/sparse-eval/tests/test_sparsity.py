"""Sparsity: active terms and FLOPS from both forms of vectors."""

from pathlib import Path

import polars as pl
import pytest
from sparse_eval._files import InputError
from sparse_eval.sparsity import TermUse, check_same_vocabulary, flops, read_term_use


def test_both_golden_forms_give_the_same_counts(golden: Path) -> None:
    lines, parquet = read_term_use(golden / "vectors.jsonl"), read_term_use(golden / "vectors.parquet")
    assert lines.counts == parquet.counts == {"검색": 1, "희소": 1, "sparse": 1}
    assert (lines.n_vectors, parquet.n_vectors) == (3, 3)
    assert parquet.active_terms == 1.0


def test_flops_are_the_mean_number_of_shared_terms() -> None:
    queries = [{"a", "b"}, {"b", "c"}]
    documents = [{"a"}, {"b", "c"}, {"c", "d"}, set[str]()]
    shared = [len(q & d) for q in queries for d in documents]

    def use(vectors: list[set[str]]) -> TermUse:
        counts = {t: sum(t in v for v in vectors) for t in "abcd"}
        return TermUse(n_vectors=len(vectors), counts=counts, vocabulary="")

    assert flops(use(queries), use(documents)) == sum(shared) / len(shared) == 0.625


def test_nothing_costs_nothing() -> None:
    empty = TermUse(n_vectors=0, counts={}, vocabulary="")
    assert (flops(empty, empty), empty.active_terms) == (0.0, 0.0)


def test_vectors_of_two_models_are_refused(tmp_path: Path) -> None:
    one, other = (TermUse(n_vectors=1, counts={}, vocabulary=name * 64) for name in "ab")
    with pytest.raises(InputError, match=r"q.parquet: has the vocabulary aaaaaaaaaaaa, .*d.parquet has bbbbbbbbbbbb"):
        check_same_vocabulary(tmp_path / "q.parquet", one, tmp_path / "d.parquet", other)


def test_a_parquet_file_that_is_no_vectors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.parquet"
    pl.DataFrame({"token_ids": [[1]], "weights": [[1.0]]}).write_parquet(path)
    with pytest.raises(InputError, match=r"v.parquet: is not of the format 'vectors'"):
        read_term_use(path)
    with pytest.raises(InputError, match=r"nowhere.parquet: no such file"):
        read_term_use(tmp_path / "nowhere.parquet")
    (tmp_path / "text.parquet").write_text("no parquet", encoding="utf-8")
    with pytest.raises(InputError, match=r"text.parquet: cannot be read as vectors"):
        read_term_use(tmp_path / "text.parquet")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"format": "vectors", "version": "9"}, "has version 9, newer than 1"),
        ({"format": "vectors", "version": "1"}, "its metadata lacks the vocabulary"),
        (
            {"format": "vectors", "version": "1", "vocabulary": '["a"]', "vocabulary_sha256": "0"},
            "does not have the sha256",
        ),
        (
            {
                "format": "vectors",
                "version": "1",
                "vocabulary": '["a"]',
                "vocabulary_sha256": "0eb5b8d6f81bc677da8a08567cc4fa9a06a57e9ec8da85ed73a7f62727996002",
            },
            "has the token id 1: wanted ids below 1",
        ),
    ],
)
def test_bad_metadata_is_named(tmp_path: Path, metadata: dict[str, str], message: str) -> None:
    path = tmp_path / "v.parquet"
    pl.DataFrame({"id": ["d"], "token_ids": [[1]], "weights": [[1.0]]}).write_parquet(path, metadata=metadata)
    with pytest.raises(InputError, match=message):
        read_term_use(path)
