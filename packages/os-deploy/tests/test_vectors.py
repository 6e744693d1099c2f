"""Vectors of both forms, checked against the tokenizer."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exports import make_tokenizer
from os_deploy import InputError
from os_deploy.tokens import ServerTokenizer
from os_deploy.vectors import Vector, check_title, read_vectors

GOLDEN = Path(__file__).parents[3] / "docs/formats/golden"


@pytest.fixture
def tokenizer() -> ServerTokenizer:
    return ServerTokenizer(make_tokenizer().to_str().encode(), "tokenizer.json")


@pytest.fixture
def golden_tokenizer() -> ServerTokenizer:
    tokenizer = make_tokenizer(words=["검색", "희소", "sparse"])
    text = tokenizer.to_str().replace('"[CLS]",', '"[X]",')
    vocabulary = {"[PAD]": 0, "[UNK]": 1, "검색": 2, "희소": 3, "sparse": 4}
    data = json.loads(text)
    data["model"]["vocab"] = vocabulary
    data["added_tokens"] = [t for t in data["added_tokens"] if t["content"] in vocabulary]
    data["post_processor"] = None
    return ServerTokenizer(json.dumps(data, ensure_ascii=False).encode(), "tokenizer.json")


EXPECTED = [Vector("doc-1#0", {2: 1.25, 3: 2.5}), Vector("doc-2#0", {4: 1.5}), Vector("doc-3#0", {})]


@pytest.mark.parametrize("name", ["vectors.jsonl", "vectors.parquet"])
def test_both_golden_forms_say_the_same(name: str, golden_tokenizer: ServerTokenizer) -> None:
    assert list(read_vectors(GOLDEN / name, golden_tokenizer)) == EXPECTED


def test_vectors_of_another_vocabulary_are_refused(tokenizer: ServerTokenizer) -> None:
    with pytest.raises(InputError, match="found a vocabulary that differs"):
        list(read_vectors(GOLDEN / "vectors.parquet", tokenizer))


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_a_weight_that_no_index_takes_is_refused(tmp_path: Path, tokenizer: ServerTokenizer, weight: float) -> None:
    table = pa.table({"id": ["d"], "token_ids": [[5]], "weights": [[weight]]})
    pq.write_table(table, tmp_path / "v.parquet")
    with pytest.raises(InputError, match=f"vector 'd': found weight {weight} of token 5"):
        list(read_vectors(tmp_path / "v.parquet", tokenizer))


@pytest.mark.parametrize("token_id", [2, 5000, -1])
def test_special_and_unknown_ids_are_refused(tmp_path: Path, tokenizer: ServerTokenizer, token_id: int) -> None:
    pq.write_table(pa.table({"id": ["d"], "token_ids": [[token_id]], "weights": [[1.0]]}), tmp_path / "v.parquet")
    with pytest.raises(InputError, match=f"found token id {token_id}, which tokenizer.json lacks or calls special"):
        list(read_vectors(tmp_path / "v.parquet", tokenizer))


def test_weights_of_zero_are_left_out(tmp_path: Path, tokenizer: ServerTokenizer) -> None:
    (tmp_path / "v.jsonl").write_text('{"id":"d","vector":{"검색":0,"희소":1}}\n', encoding="utf-8")
    assert list(read_vectors(tmp_path / "v.jsonl", tokenizer)) == [Vector("d", {5: 1.0})]


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, tokenizer: ServerTokenizer) -> None:
    (tmp_path / "v.parquet").write_bytes(b"PAR")
    with pytest.raises(InputError, match="found no Parquet file of vectors"):
        list(read_vectors(tmp_path / "v.parquet", tokenizer))
    with pytest.raises(InputError, match="found no Parquet file of vectors"):
        list(read_vectors(tmp_path / "none.parquet", tokenizer))


def test_a_manifest_that_says_otherwise_about_titles_is_refused(tmp_path: Path) -> None:
    check_title(tmp_path / "v.parquet", title=True)
    (tmp_path / "v.parquet.manifest.json").write_text('{"parameters": {"title": true}}')
    check_title(tmp_path / "v.parquet", title=True)
    with pytest.raises(InputError, match=r"found vectors made with titles, .*set `title: true` in it"):
        check_title(tmp_path / "v.parquet", title=False)
