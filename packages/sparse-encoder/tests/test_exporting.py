import hashlib
import json
import subprocess
import sys
import unicodedata
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sparse_encoder.exporting as exporting
import torch
from sentence_transformers import SparseEncoder
from sparse_encoder._files import InputError
from sparse_encoder.archives import write_archive
from sparse_encoder.exporting import export
from sparse_encoder.lexical import LexicalChannel
from sparse_encoder.model_folder import SparseModel, read_model, write_model
from sparse_encoder.parity import compare, compare_queries, reference
from sparse_encoder.pieces import normalizer
from tokenizers import Tokenizer

TEXTS = ["희소 검색 색인은 sparse vector", "문서", "검색 " * 40, "", "index search 역색인에서 (단어)."]


@pytest.fixture(scope="module")
def model(golden: Path) -> SparseModel:
    found = replace(read_model(golden / "model"), max_active_terms=6)
    lexical = LexicalChannel(len(found.idf), mean_length=8.0)
    with torch.no_grad():
        lexical.gate[:5] = 0
        found.bert.output_bias()[:5] = -10_000.0
    return replace(found, lexical=lexical)


@pytest.fixture(scope="module")
def folder(model: SparseModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "deploy"
    export(model, path, name="ko", texts=TEXTS, int8=True)
    return path


def test_every_form_agrees_with_pytorch(folder: Path) -> None:
    report = json.loads((folder / "export_report.json").read_text(encoding="utf-8"))
    assert [p["form"] for p in report["parity"]] == ["torchscript", "onnx", "onnx-int8", "tokenizer"]
    assert all(p["largest_difference"] <= 1e-4 and p["n_texts"] == 5 for p in report["parity"][:2])
    assert report["parity"][2]["tolerance"] is None
    assert report["parity"][2]["rank_agreement"] >= 0.8
    assert report["parity"][3] == {
        "form": "tokenizer",
        "n_texts": 5,
        "largest_difference": 0.0,
        "tolerance": 1e-4,
        "same_terms": 1.0,
        "rank_agreement": 1.0,
    }


def test_the_report_has_the_size_and_hash_of_every_file(folder: Path) -> None:
    report = json.loads((folder / "export_report.json").read_text(encoding="utf-8"))
    assert report["opset"] == 17
    assert {a["name"] for a in report["artefacts"]} == {p.name for p in folder.iterdir()} - {"export_report.json"}
    for artefact in report["artefacts"]:
        data = (folder / artefact["name"]).read_bytes()
        assert (artefact["n_bytes"], artefact["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("stem", ["encoder", "tokenizer"])
def test_a_config_has_the_size_and_hash_of_its_zip(folder: Path, stem: str) -> None:
    config = json.loads((folder / f"{stem}.config.json").read_text(encoding="utf-8"))
    data = (folder / f"{stem}.zip").read_bytes()
    assert config["model_content_size_in_bytes"] == len(data)
    assert config["model_content_hash_value"] == hashlib.sha256(data).hexdigest()


def test_the_archives_hold_what_the_server_wants_at_their_roots(folder: Path) -> None:
    assert zipfile.ZipFile(folder / "encoder.zip").namelist() == ["model.pt", "tokenizer.json"]
    assert zipfile.ZipFile(folder / "tokenizer.zip").namelist() == ["tokenizer.json", "idf.json"]


def test_the_server_cuts_where_the_model_does(folder: Path) -> None:
    config = json.loads(zipfile.ZipFile(folder / "encoder.zip").read("tokenizer.json"))
    assert config["truncation"] == {"direction": "Right", "max_length": 32, "strategy": "LongestFirst", "stride": 0}


def test_the_torchscript_runs_on_a_dictionary_and_names_no_folder(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "model.pt"
    script.write_bytes(zipfile.ZipFile(folder / "encoder.zip").read("model.pt"))
    assert not [n for n in zipfile.ZipFile(script).namelist() if n.endswith(".debug_pkl")]
    ids = torch.tensor([[2, 5, 6, 7, 8, 9, 3]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        found = torch.jit.load(str(script))({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
    assert found["output"].shape == (1, 25)
    assert float(found["output"][0, :5].detach().sum()) == 0.0


def test_two_processes_export_the_same_bytes(golden: Path, tmp_path: Path) -> None:
    write_model(replace(read_model(golden / "model"), max_active_terms=6), tmp_path / "m")
    command = [sys.executable, "-m", "sparse_encoder", "export", str(tmp_path / "m"), "--name", "ko", "-o"]
    running = [subprocess.Popen([*command, str(tmp_path / name)]) for name in ("a", "b")]
    assert [process.wait() for process in running] == [0, 0]
    for file in (tmp_path / "a").iterdir():
        assert (tmp_path / "b" / file.name).read_bytes() == file.read_bytes(), file.name


def test_a_form_that_differs_is_refused(model: SparseModel) -> None:
    def wrong(ids: torch.Tensor, mask: torch.Tensor) -> np.ndarray:
        return np.full((len(ids), len(model.idf)), 0.5, dtype=np.float32)

    with pytest.raises(InputError, match="the wrong export differs from PyTorch by"):
        compare(reference(model, TEXTS), form="wrong", run=wrong)


def test_a_form_in_8_bits_that_ranks_otherwise_is_refused(model: SparseModel) -> None:
    def wrong(ids: torch.Tensor, mask: torch.Tensor) -> np.ndarray:
        return np.full((len(ids), len(model.idf)), 0.5, dtype=np.float32)

    texts = [f"{a} {b}" for a in ("희소", "문서", "단어", "색인") for b in ("검색", "sparse", "vector", "역색인")]
    with pytest.raises(InputError, match=r"ranks 0\.\d+ of the best ten texts as PyTorch does"):
        compare(reference(model, texts), form="wrong", run=wrong, rounded=True)


def test_decomposed_text_has_the_vectors_of_composed_text_in_every_form(model: SparseModel, tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_str(model.vocabulary.tokenizer.to_str())
    tokenizer.normalizer = normalizer()
    own = replace(model, vocabulary=replace(model.vocabulary, tokenizer=tokenizer))
    nfd = [unicodedata.normalize("NFD", text) for text in TEXTS]
    assert nfd != TEXTS
    for (ids, weights), (wanted, before) in zip(
        reference(own, nfd).vectors, reference(model, TEXTS).vectors, strict=True
    ):
        assert ids.tolist() == wanted.tolist()
        assert weights.tolist() == before.tolist()
    export(own, tmp_path / "deploy", name="ko", texts=nfd)
    for archive in ("encoder.zip", "tokenizer.zip"):
        shipped = Tokenizer.from_str(zipfile.ZipFile(tmp_path / "deploy" / archive).read("tokenizer.json").decode())
        assert [e.ids for e in shipped.encode_batch(nfd)] == [e.ids for e in shipped.encode_batch(TEXTS)]
    write_model(replace(own, lexical=None), tmp_path / "m")
    plain = SparseEncoder(str(tmp_path / "m"), device="cpu")
    for encode in (plain.encode_document, plain.encode_query):
        assert encode(nfd).to_dense().tolist() == encode(TEXTS).to_dense().tolist()


def test_a_tokenizer_archive_that_weighs_otherwise_is_refused(model: SparseModel, folder: Path, tmp_path: Path) -> None:
    files = zipfile.ZipFile(folder / "tokenizer.zip")
    idf = json.loads(files.read("idf.json"))
    heavier = json.dumps(idf | {"검색": idf["검색"] + 0.25}, ensure_ascii=False).encode()
    write_archive(tmp_path / "t.zip", {"tokenizer.json": files.read("tokenizer.json"), "idf.json": heavier})
    with pytest.raises(InputError, match=r"tokenizer export weighs a query's token otherwise than the model by 0\.25"):
        compare_queries(reference(model, TEXTS), tmp_path / "t.zip")


def test_what_is_compared_is_the_script_that_ships(
    model: SparseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rewritten file is replaced by that of another model: only reading it again can tell."""
    other = replace(model, max_active_terms=3)
    script = exporting._trace(exporting.document_encoder(other))
    shipped = exporting._script_bytes(script)
    monkeypatch.setattr(exporting, "_script_bytes", lambda script: shipped)
    with pytest.raises(InputError, match="the torchscript export differs from PyTorch by"):
        export(model, tmp_path / "deploy", name="ko", texts=TEXTS)
    assert list(tmp_path.iterdir()) == []
