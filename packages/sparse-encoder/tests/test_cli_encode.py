import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sentence_transformers import SparseEncoder
from sparse_encoder._files import InputError
from sparse_encoder.cli import app
from sparse_encoder.vectors import read_vectors
from typer.testing import CliRunner


def encode(*arguments: str | Path) -> int:
    return CliRunner().invoke(app, ["encode", *map(str, arguments)], catch_exceptions=False).exit_code


def test_one_call_writes_what_a_call_for_each_file_does(golden: Path, tmp_path: Path) -> None:
    model, passages, queries = golden / "model", golden / "passages", golden / "evaluation" / "queries.jsonl"
    assert encode(model, passages, "-o", tmp_path / "d.parquet") == 0
    assert encode(model, queries, "-o", tmp_path / "q.parquet", "--queries") == 0
    together = tmp_path / "together"
    rest = ("--also", f"{passages}={together}/d.jsonl", "--also-queries", f"{queries}={together}/q.parquet")
    assert encode(model, passages, "-o", together / "d.parquet", *rest) == 0
    for name in ("d.parquet", "q.parquet"):
        assert (together / name).read_bytes() == (tmp_path / name).read_bytes()
    manifest = json.loads((together / "q.parquet.manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"]["queries"] is True
    assert manifest["outputs"][0]["n_records"] == len(queries.read_text(encoding="utf-8").splitlines())
    assert (together / "d.jsonl.manifest.json").is_file()
    assert not list(together.glob(".*"))


def test_two_inputs_with_one_output_are_refused_before_anything_is_written(golden: Path, tmp_path: Path) -> None:
    also = f"{golden / 'passages'}={tmp_path / 'd.parquet'}"
    with pytest.raises(InputError, match=r"d\.parquet: is the output of two inputs"):
        encode(golden / "model", golden / "passages", "-o", tmp_path / "d.parquet", "--also", also)
    assert not list(tmp_path.iterdir())


def test_a_pair_without_an_output_is_wrong_use(golden: Path, tmp_path: Path) -> None:
    assert encode(golden / "model", golden / "passages", "-o", tmp_path / "d.parquet", "--also", "queries.jsonl") == 2


def test_queries_are_encoded_without_what_is_slow_to_import(golden: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from sparse_encoder.cli import app; "
        f"app(['encode', {str(golden / 'model')!r}, {str(golden / 'evaluation' / 'queries.jsonl')!r}, '--queries', "
        f"'-o', {str(tmp_path / 'q.parquet')!r}], standalone_mode=False); "
        "assert not {'torch', 'pandas', 'kiwipiepy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def corpus(golden: Path, tmp_path: Path) -> Path:
    """A corpus of the user's own."""
    path = tmp_path / "c.jsonl"
    path.write_bytes((golden / "passages" / "corpus.jsonl").read_bytes())
    return path


def refuse(message: str, *arguments: str | Path) -> None:
    with pytest.raises(InputError, match=message):
        encode(*arguments)


def test_an_output_that_is_an_input_is_refused_and_the_corpus_stays(golden: Path, corpus: Path) -> None:
    model, before = golden / "model", corpus.read_bytes()
    queries = golden / "evaluation" / "queries.jsonl"
    link, elsewhere = corpus.with_name("link.jsonl"), corpus.with_name("o.jsonl")
    link.symlink_to(corpus)
    for arguments in (
        (corpus, "-o", corpus),
        (corpus, "-o", link),
        (link, "-o", corpus),
        (queries, "-o", elsewhere, "--also", f"{corpus}={corpus}"),
        (queries, "--queries", "-o", corpus, "--also", f"{corpus}={elsewhere}"),
        (corpus, "-o", elsewhere, "--also-queries", f"{queries}={corpus}"),
    ):
        refuse(r"is an input of this very command; give another output", model, *arguments)
    assert corpus.read_bytes() == before
    assert not elsewhere.exists()


def test_an_output_inside_the_model_is_refused(golden: Path, corpus: Path, tmp_path: Path) -> None:
    shutil.copytree(golden / "model", tmp_path / "m")
    refuse(
        r"m/v\.parquet: lies in the model .*; give another output",
        tmp_path / "m",
        corpus,
        "-o",
        tmp_path / "m/v.parquet",
    )


@pytest.mark.parametrize("output", [".", "..", "folder.jsonl", "file/v.jsonl"])
def test_an_output_that_cannot_be_written_is_refused_before_anything_is_encoded(
    golden: Path, corpus: Path, tmp_path: Path, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "file").write_text("")
    refuse("wanted a file name|is a folder|is no folder", golden / "nowhere", corpus, "-o", output)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.jsonl", "file", "folder.jsonl"]


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_a_model_that_is_not_there_is_a_sentence(corpus: Path, tmp_path: Path, backend: str) -> None:
    (tmp_path / "empty").mkdir()
    for queries in ([], ["--queries"]):
        arguments = (corpus, "-o", tmp_path / "v.parquet", "--backend", backend, *queries)
        refuse(r"nowhere: no such folder; wanted a model folder", tmp_path / "nowhere", *arguments)
        refuse(r"is not a model folder: no modules\.json", tmp_path / "empty", *arguments)


def test_the_queries_of_a_beir_folder_are_its_queries(golden: Path, corpus: Path, tmp_path: Path) -> None:
    beir = tmp_path / "beir"
    beir.mkdir()
    queries = (golden / "evaluation" / "queries.jsonl").read_bytes()
    (beir / "queries.jsonl").write_bytes(queries)
    (beir / "corpus.jsonl").write_bytes(corpus.read_bytes())
    rest = ("--also-queries", f"{beir}={tmp_path / 'also.parquet'}")
    assert encode(golden / "model", beir, "--queries", "-o", tmp_path / "q.parquet", *rest) == 0
    for name in ("q.parquet", "also.parquet"):
        assert [v.id for v in read_vectors(tmp_path / name)[0]] == ["q-1", "q-2"]
    (beir / "queries.jsonl").unlink()
    refuse(
        r"beir/queries\.jsonl: no such file; wanted a folder with queries\.jsonl",
        golden / "model",
        beir,
        "--queries",
        "-o",
        tmp_path / "q.parquet",
    )


def test_pruning_queries_alone_is_refused(golden: Path, corpus: Path, tmp_path: Path) -> None:
    for option in (("--top-k", "2"), ("--ratio", "0.5")):
        refuse(
            r"--top-k and --ratio prune passages, and only queries are encoded; leave them out",
            golden / "model", corpus, "--queries", "-o", tmp_path / "q.parquet", *option,
        )  # fmt: skip


def test_outputs_of_one_name_do_not_share_their_partial_work(golden: Path, corpus: Path, tmp_path: Path) -> None:
    other = tmp_path / "d.jsonl"
    other.write_text('{"_id": "other", "text": "검색"}\n', encoding="utf-8")
    also = [f"{corpus}={tmp_path / 'x1' / 'o.jsonl'}", f"{other}={tmp_path / 'x2' / 'o.jsonl'}"]
    arguments = ("-o", tmp_path / "o.jsonl", "--also", also[0], "--also", also[1], "--work", tmp_path / "wk")
    assert encode(golden / "model", corpus, *arguments) == 0
    assert len((tmp_path / "x2" / "o.jsonl").read_text(encoding="utf-8").splitlines()) == 1
    assert (tmp_path / "x1" / "o.jsonl").read_bytes() == (tmp_path / "o.jsonl").read_bytes()


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_top_k_takes_the_place_of_the_models_limit_with_every_backend(
    golden: Path, corpus: Path, tmp_path: Path, backend: str
) -> None:
    """As `encode_document(max_active_dims=k)` does."""
    model, file = tmp_path / "m", tmp_path / "v.parquet"
    shutil.copytree(golden / "model", model)
    config = json.loads((model / "config_sentence_transformers.json").read_text(encoding="utf-8"))
    (model / "config_sentence_transformers.json").write_text(json.dumps(config | {"max_active_dims": 5}))
    texts = [json.loads(line)["text"] for line in corpus.read_text(encoding="utf-8").splitlines()]
    theirs = SparseEncoder(str(model), device="cpu")
    for top_k in (None, 3, 12):
        chosen = [] if top_k is None else ["--top-k", str(top_k)]
        assert encode(model, corpus, "-o", file, "--backend", backend, *chosen) == 0
        wanted = (theirs.encode_document(texts, max_active_dims=top_k).to_dense().numpy() > 0).sum(axis=1).tolist()
        assert [len(v.token_ids) for v in read_vectors(file)[0]] == wanted
        assert max(wanted) == (top_k or 5)


def test_onnx_on_a_gpu_is_refused(golden: Path, corpus: Path, tmp_path: Path) -> None:
    arguments = ("-o", tmp_path / "v.parquet", "--backend", "onnx", "--device", "cuda")
    refuse(r"--backend onnx runs on the processor; leave --device out", golden / "model", corpus, *arguments)
