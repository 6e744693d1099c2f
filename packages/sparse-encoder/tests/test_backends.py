import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sparse_encoder._files import InputError
from sparse_encoder.backends import Side, check_side, prepare
from sparse_encoder.cli import app
from sparse_encoder.exporting import export
from sparse_encoder.model_folder import read_model, write_model
from sparse_encoder.pruning import Pruning, Terms
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


class Numbered:
    """An encoder whose weights say which process it is of."""

    tokens = ("a", "b", "c")
    max_active_terms = 3

    def __init__(self, processes: int, number: int) -> None:
        self.weight = float(10 * processes + number)

    def encode(self, texts: Sequence[str], *, pruning: Pruning) -> list[Terms]:
        if "bad" in texts:
            raise InputError("a bad text")
        return [(np.array([0], dtype=np.int32), np.array([self.weight], dtype=np.float32)) for _ in texts]


def test_each_process_knows_its_number_among_them(tmp_path: Path) -> None:
    texts = [(f"d{i}", "text") for i in range(200)]
    work = Partial(folder=tmp_path, identity="m", n_texts=1)
    fill_shards(Numbered, texts, pruning=ALL, work=work, processes=2, log=lambda line: None)
    vectors = encode_shards(Numbered(0, 0), texts, pruning=ALL, work=work, log=lambda line: None)
    assert {float(v.weights[0]) for v in vectors} <= {20.0, 21.0}


def test_an_error_of_one_process_ends_them_all_and_keeps_what_is_done(tmp_path: Path) -> None:
    texts = [(f"d{i}", "bad" if i == 3 else "text") for i in range(2000)]
    work = Partial(folder=tmp_path, identity="m", n_texts=1)
    with pytest.raises(InputError, match="a bad text"):
        fill_shards(Numbered, texts, pruning=ALL, work=work, processes=2, log=lambda line: None)
    assert 2 <= len(list(tmp_path.glob("*.npz"))) < 1999


@pytest.fixture
def heeded_ctrl_c() -> Iterator[None]:
    """Tests may run where Ctrl-C is ignored (`pytest &` in a script), and what they start inherits that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded_ctrl_c")
@pytest.mark.parametrize(("at", "n_least"), [("2 processes start", 0), ("encoded: ", 1)])
def test_ctrl_c_ends_all_processes_without_a_trace_and_keeps_finished_shards(
    golden: Path, tmp_path: Path, at: str, n_least: int
) -> None:
    lines = "".join(f'{{"_id": "{i}", "text": "검색 색인"}}\n' for i in range(4000))
    (tmp_path / "c.jsonl").write_text(lines, encoding="utf-8")
    code = "from sparse_encoder.cli import main; main()"
    command = [sys.executable, "-c", code, "encode", golden / "model", tmp_path / "c.jsonl", "-o", tmp_path / "v.jsonl"]
    command += ["--processes", "2", "--shard", "1", "--work", tmp_path / "work"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        while not (line := process.stderr.readline()).startswith(at):
            assert line
        os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to all of them
        said = [line for line in process.stderr.read().splitlines() if not line.startswith("encoded: ")]
    assert said == [
        "stopping, when each process has finished its shard",
        "stopped: run the same command again to go on",
    ]
    assert process.returncode == 130
    assert n_least <= len(list((tmp_path / "work").glob("*.npz"))) < 4000


def test_an_export_folder_encodes_queries_as_its_model_does(golden: Path, tmp_path: Path) -> None:
    model = replace(read_model(golden / "model"), max_tokens=9, max_active_terms=3)
    write_model(model, tmp_path / "m")
    export(model, tmp_path / "e", name="ko", texts=TEXTS)
    lines = [
        '{"_id": "a", "text": "희소 검색 색인 문서 단어 vector"}',
        '{"_id": "b", "text": "검색 검색"}',
        '{"_id": "c", "text": ""}',
    ]
    (tmp_path / "q.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for name, rest in (("m", ()), ("e", ("--backend", "onnx"))):
        command = [
            "encode",
            tmp_path / name,
            tmp_path / "q.jsonl",
            "--queries",
            "-o",
            tmp_path / f"{name}.parquet",
            *rest,
        ]
        assert CliRunner().invoke(app, list(map(str, command)), catch_exceptions=False).exit_code == 0
    found = [read_vectors(tmp_path / f"{name}.parquet") for name in "me"]
    told = [[(v.id, v.token_ids.tolist(), v.weights.tolist()) for v in vectors] for vectors, _ in found]
    assert told[0] == told[1]
    assert [len(ids) for _, ids, _ in told[0]] == [3, 1, 0]
    assert found[0][1] == found[1][1]


def test_an_export_without_weights_of_query_tokens_says_where_queries_are_encoded(golden: Path, tmp_path: Path) -> None:
    model = read_model(golden / "model")
    export(replace(model, query=model.bert), tmp_path / "e", name="ko", texts=TEXTS)
    queries = golden / "evaluation" / "queries.jsonl"
    command = ["encode", tmp_path / "e", queries, "--queries", "-o", tmp_path / "v.parquet", "--backend", "onnx"]
    with pytest.raises(InputError, match=r"holds no idf\.json: its model encodes queries by a network; give the model"):
        CliRunner().invoke(app, list(map(str, command)), catch_exceptions=False)


def test_more_terms_than_an_exported_graph_keeps_are_refused(golden: Path, tmp_path: Path) -> None:
    export(replace(read_model(golden / "model"), max_active_terms=5), tmp_path / "e", name="ko", texts=TEXTS)
    side = Side(model=tmp_path / "e", backend="onnx")
    check_side(side, top_k=5)
    assert side.open().max_active_terms == 5
    with pytest.raises(InputError, match=r"its graph keeps 5 terms and --top-k is 6; give at most 5, or the model"):
        check_side(side, top_k=6)


def test_a_model_folder_is_encoded_by_onnx_from_the_command_line(golden: Path, tmp_path: Path) -> None:
    command = ["encode", golden / "model", golden / "passages", "-o", tmp_path / "d.parquet", "--backend", "onnx"]
    assert CliRunner().invoke(app, [str(c) for c in command], catch_exceptions=False).exit_code == 0
    manifest = json.loads((tmp_path / "d.parquet.manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"]["backend"] == "onnx"
    assert not list(tmp_path.glob(".*"))
