import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sparse_encoder._files import InputError
from sparse_encoder.backends import Side, prepare
from sparse_encoder.cli import app
from sparse_encoder.pruning import Pruning
from sparse_encoder.screening import has_byte_products
from sparse_encoder.shards import Partial, encode_shards, fill_shards
from sparse_encoder.vectors import read_vectors
from typer.testing import CliRunner

TEXTS = ["희소 검색", "검색 색인은 index " * 9, "문서 단어", "", "sparse vector 검색"]
ALL = Pruning(top_k=25)


def dense(side: Side) -> np.ndarray:
    rows = np.zeros((len(TEXTS), 25), dtype=np.float32)
    for row, (ids, weights) in zip(rows, side.open().encode(TEXTS, pruning=ALL), strict=True):
        row[ids] = weights
    return rows


@pytest.fixture(scope="module")
def graphs(golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Side:
    work = tmp_path_factory.mktemp("work")
    return prepare(Side(model=golden / "model", backend="onnx", int8=True), work)


def test_onnx_finds_the_vectors_of_torch(golden: Path, graphs: Side) -> None:
    exact = Side(model=graphs.model, backend="onnx")
    np.testing.assert_allclose(dense(exact), dense(Side(model=golden / "model")), atol=1e-5)


def test_onnx_in_8_bits_is_near(golden: Path, graphs: Side) -> None:
    found, wanted = dense(graphs), dense(Side(model=golden / "model"))
    assert np.abs(found - wanted).max() < 0.2 * wanted.max()
    assert not np.array_equal(found, wanted)


def test_torch_in_8_bits_is_near(golden: Path) -> None:
    import torch

    if not has_byte_products(torch.device("cpu")):
        pytest.skip("this processor has no VNNI")
    found, wanted = dense(Side(model=golden / "model", int8=True)), dense(Side(model=golden / "model"))
    assert np.abs(found - wanted).max() < 0.2 * wanted.max()
    assert not np.array_equal(found, wanted)


def test_a_folder_without_a_graph_says_how_to_make_one(golden: Path) -> None:
    with pytest.raises(InputError, match="make it with: sparse-encoder export"):
        Side(model=golden / "model", backend="onnx").open()


def test_an_export_is_encoded_without_torch(golden: Path, graphs: Side, tmp_path: Path) -> None:
    code = (
        "import sys; from sparse_encoder.cli import app; "
        f"app(['encode', {str(graphs.model)!r}, {str(golden / 'passages')!r}, '-o', {str(tmp_path / 'd.parquet')!r}, "
        "'--backend', 'onnx', '--int8'], standalone_mode=False); assert not {'torch', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert read_vectors(tmp_path / "d.parquet")[0]


def test_several_processes_write_the_vectors_of_one(golden: Path, tmp_path: Path) -> None:
    side, texts = Side(model=golden / "model"), [(f"d{i}", text) for i, text in enumerate(TEXTS)]
    one, two = (Partial(folder=tmp_path / name, identity="m", n_texts=2) for name in ("one", "two"))
    log: list[str] = []
    fill_shards(side.open, texts, pruning=ALL, work=two, processes=2, log=log.append)
    assert sorted(p.name for p in two.folder.glob("*.npz")) == [f"shard-{n:09d}.npz" for n in (0, 2, 4)]
    assert log[-1] == "encoded: 5 of 5"
    found, wanted = (
        [
            (v.id, v.token_ids.tolist(), v.weights.tolist())
            for v in encode_shards(side.open(), texts, pruning=ALL, work=work, log=log.append)
        ]
        for work in (two, one)
    )
    assert found == wanted


def test_a_model_folder_is_encoded_by_onnx_from_the_command_line(golden: Path, tmp_path: Path) -> None:
    command = ["encode", golden / "model", golden / "passages", "-o", tmp_path / "d.parquet", "--backend", "onnx"]
    assert CliRunner().invoke(app, [str(c) for c in command], catch_exceptions=False).exit_code == 0
    manifest = json.loads((tmp_path / "d.parquet.manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"]["backend"] == "onnx"
    assert not list(tmp_path.glob(".*"))
