import shutil
from pathlib import Path

import numpy as np
import pytest
import sparse_encoder.shrinking as shrinking
import torch
from safetensors.numpy import load_file
from sentence_transformers import SparseEncoder
from sparse_encoder._files import InputError
from sparse_encoder.encoding import encode_texts
from sparse_encoder.model_folder import read_model
from sparse_encoder.pruning import Pruning
from sparse_encoder.shrinking import shrink

TEXTS = ["희소 검색 색인은 sparse vector", "문서"]
WEIGHTS = Path("document_0_Transformer") / "model.safetensors"


@pytest.fixture
def shrunk(golden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shrinking, "BACKBONE_BYTES", 1000)
    found = shrink(golden / "model", tmp_path / "m", largest_bytes=100_000)
    assert found.n_bytes < found.n_bytes_before
    assert found.largest_rounding < 2**-10
    return tmp_path / "m"


def test_the_backbone_is_kept_in_fp16_and_query_weights_in_fp32(shrunk: Path) -> None:
    assert {v.dtype for v in load_file(shrunk / WEIGHTS).values()} == {np.dtype(np.float16)}
    query = load_file(shrunk / "query_0_SparseStaticEmbedding" / "model.safetensors")
    assert query["weight"].dtype == np.float32


def test_a_model_in_fp16_is_computed_in_fp32(golden: Path, shrunk: Path) -> None:
    model = read_model(shrunk)
    assert {p.dtype for p in model.bert.parameters()} == {torch.float32}
    every = Pruning(top_k=25)
    for (ids, weights), (wanted, before) in zip(
        encode_texts(model, TEXTS, pruning=every),
        encode_texts(read_model(golden / "model"), TEXTS, pruning=every),
        strict=True,
    ):
        assert ids.tolist() == wanted.tolist()
        np.testing.assert_allclose(weights, before, rtol=5e-3)


def test_plain_sentence_transformers_computes_it_in_fp32_too(shrunk: Path) -> None:
    theirs = SparseEncoder(str(shrunk), device="cpu")
    assert {p.dtype for p in theirs.parameters()} == {torch.float32}
    found = theirs.encode_document(TEXTS).to_dense().numpy()
    for row, (ids, weights) in zip(
        found, encode_texts(read_model(shrunk), TEXTS, pruning=Pruning(top_k=25)), strict=True
    ):
        np.testing.assert_allclose(row[ids], weights, atol=1e-6)


def test_a_folder_above_the_limit_is_refused_and_not_written(golden: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"in fp16; wanted at most 0\.0"):
        shrink(golden / "model", tmp_path / "m", largest_bytes=1000)
    assert not (tmp_path / "m").exists()


def test_a_weight_that_fp16_cannot_hold_is_named() -> None:
    with pytest.raises(InputError, match="the tensor 'bias' holds 1e"):
        shrinking._rounded("bias", np.array([1e6], dtype=np.float32))


def test_what_was_written_is_read_before_it_becomes_the_output(golden: Path, tmp_path: Path) -> None:
    shutil.copytree(golden / "model", tmp_path / "cut")
    (tmp_path / "cut" / WEIGHTS).write_bytes(b"")
    with pytest.raises(InputError, match=r"cut/document_0_Transformer/model\.safetensors: is not a safetensors file"):
        shrink(tmp_path / "cut", tmp_path / "m", largest_bytes=100_000)
    assert [p.name for p in tmp_path.iterdir()] == ["cut"]


def test_a_broken_tokenizer_is_named(golden: Path, tmp_path: Path) -> None:
    shutil.copytree(golden / "model", tmp_path / "cut")
    (tmp_path / "cut" / "document_0_Transformer" / "tokenizer.json").write_text('{"version": ')
    with pytest.raises(InputError, match=r"cut/document_0_Transformer/tokenizer\.json: Input data was truncated"):
        shrink(tmp_path / "cut", tmp_path / "m", largest_bytes=100_000)
