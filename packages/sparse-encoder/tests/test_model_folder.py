import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from sentence_transformers import SparseEncoder
from sparse_encoder._files import InputError
from sparse_encoder.encoding import encode_texts
from sparse_encoder.lexical import LexicalChannel
from sparse_encoder.model_folder import SparseModel, read_model, write_model
from sparse_encoder.pruning import Pruning
from sparse_encoder.query_side import read_query_side
from sparse_encoder.recipe import read_recipe
from sparse_encoder.training import train

TEXTS = ["희소 검색은 단어마다 가중치(weight)를 둔다.", "검색 검색 sparse vector", "문서"]


@pytest.fixture(scope="module")
def model(data: Path, tmp_path_factory: pytest.TempPathFactory) -> SparseModel:
    recipe = msgspec.structs.replace(read_recipe(data / "recipe.yaml"), steps=2)
    return train(recipe, work=tmp_path_factory.mktemp("work"), log=lambda line: None).model


def dense(model: SparseModel, texts: list[str]) -> np.ndarray:
    rows = np.zeros((len(texts), len(model.idf)), dtype=np.float32)
    for row, (ids, found) in zip(
        rows, encode_texts(model, texts, pruning=Pruning(top_k=model.max_active_terms)), strict=True
    ):
        row[ids] = found
    return rows


def test_sentence_transformers_loads_the_folder_and_finds_the_same_vectors(model: SparseModel, tmp_path: Path) -> None:
    write_model(model, tmp_path / "m")
    theirs = SparseEncoder(str(tmp_path / "m"), device="cpu")
    assert theirs.max_active_dims == 40
    assert theirs.similarity_fn_name == "dot"
    np.testing.assert_allclose(theirs.encode_document(TEXTS).to_dense().numpy(), dense(model, TEXTS), atol=1e-5)
    queries = read_query_side(tmp_path / "m").encode([("a", "희소 검색"), ("b", "[CLS] 검색 검색")])
    found = theirs.encode_query(["희소 검색", "[CLS] 검색 검색"]).to_dense().numpy()
    for row, query in zip(found, queries, strict=True):
        assert np.flatnonzero(row).tolist() == query.token_ids.tolist()
        np.testing.assert_allclose(row[query.token_ids], query.weights)


def test_a_lexical_channel_travels_as_source_and_loads_with_trust(model: SparseModel, tmp_path: Path) -> None:
    lexical = LexicalChannel(len(model.idf), mean_length=7.0, gate=1.5)
    with torch.no_grad():
        lexical.gate[:5] = -1.0
    counted = SparseModel(
        bert=model.bert, idf=model.idf, vocabulary=model.vocabulary, max_tokens=64, max_active_terms=40, lexical=lexical
    )
    write_model(counted, tmp_path / "m")
    theirs = SparseEncoder(str(tmp_path / "m"), device="cpu", trust_remote_code=True)
    found = theirs.encode_document(TEXTS).to_dense().numpy()
    np.testing.assert_allclose(found, dense(counted, TEXTS), atol=1e-5)
    np.testing.assert_allclose(dense(read_model(tmp_path / "m"), TEXTS), dense(counted, TEXTS), atol=1e-6)


def test_writing_what_was_read_gives_the_same_bytes(model: SparseModel, tmp_path: Path) -> None:
    write_model(model, tmp_path / "a")
    write_model(read_model(tmp_path / "a"), tmp_path / "b")
    files = [p for p in (tmp_path / "a").rglob("*") if p.is_file()]
    assert all(p.read_bytes() == (tmp_path / "b" / p.relative_to(tmp_path / "a")).read_bytes() for p in files)


def test_the_golden_model_gives_the_vectors_that_sentence_transformers_gives(golden: Path) -> None:
    texts = ["희소 검색 색인은 sparse vector", "문서"]
    theirs = SparseEncoder(str(golden / "model"), device="cpu").encode_document(texts).to_dense().numpy()
    np.testing.assert_allclose(dense(read_model(golden / "model"), texts), theirs, atol=1e-6)


def test_a_folder_that_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not a model folder: no modules\.json"):
        read_model(tmp_path)


def test_a_tokenizer_that_is_not_the_models_is_refused(model: SparseModel, golden: Path, tmp_path: Path) -> None:
    write_model(model, tmp_path / "m")
    other = (golden / "tokenizer" / "tokenizer.json").read_bytes()
    (tmp_path / "m" / "document_0_Transformer" / "tokenizer.json").write_bytes(other)
    with pytest.raises(InputError, match="the tokenizer has 25 tokens, the model"):
        read_model(tmp_path / "m")


def test_a_model_of_another_kind_is_refused(model: SparseModel, tmp_path: Path) -> None:
    write_model(model, tmp_path / "m")
    file = tmp_path / "m" / "document_0_Transformer" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"model_type": "electra"}))
    with pytest.raises(InputError, match="is a 'electra'"):
        read_model(tmp_path / "m")
