"""Tests of `sentence_encoder`, `dense_sources` and `embeddings` with a real sentence-transformers model made here."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sparse_mining import cli
from sparse_mining._files import InputError, read_json
from sparse_mining.arrays import Matrix
from sparse_mining.embeddings import read_embeddings
from sparse_mining.passages import Query, read_collection
from sparse_mining.sentence_encoder import Header, SentenceEncoder
from tokenizers import Tokenizer, models, pre_tokenizers

from .conftest import TOPICS, write_lines

WORDS = sorted(
    {word for texts in TOPICS.values() for text in texts for word in text.split()} | {"query", "passage", ":"}
)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A static model of 8 dimensions named like e5, which wants prefixes."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    vocabulary = {word: i for i, word in enumerate(["[UNK]", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    weights = torch.randn(len(vocabulary), 8, generator=torch.Generator().manual_seed(7))
    folder = tmp_path_factory.mktemp("models") / "tiny-e5-ko"
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)]).save(str(folder))
    return folder


Given = Callable[[Matrix, Matrix], list[object]]
TWO = np.ones((3, 2), np.float32)


@pytest.fixture
def embed_given(passages: Path, queries: Path, tmp_path: Path) -> Given:
    """The arguments that embed these arrays of passages and queries into `e`."""

    def write(documents: Matrix, asked: Matrix) -> list[object]:
        np.save(tmp_path / "d.npy", documents)
        np.save(tmp_path / "q.npy", asked)
        arrays = ["--method", "npy", "--document-vectors", tmp_path / "d.npy", "--query-vectors", tmp_path / "q.npy"]
        return ["embed", passages, "--queries", queries, "-o", tmp_path / "e", *arrays]

    return write


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> str:
    """Runs a command and returns '' or the error it ended with."""
    monkeypatch.setattr(sys, "argv", ["sparse-mining", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return "" if ended.value.code == 0 else str(ended.value.code)


def header(model: Path, *, query: str = "", document: str = "") -> Header:
    return Header(model=str(model), query_prefix=query, document_prefix=document, normalised=True)


def test_a_model_is_asked_with_its_prefixes(model: Path) -> None:
    plain, prefixed = (
        SentenceEncoder(header(model)),
        SentenceEncoder(header(model, query="query: ", document="passage: ")),
    )
    assert np.allclose(prefixed.encode(["별은 밤하늘에"]), plain.encode(["query: 별은 밤하늘에"]))
    assert np.allclose(prefixed.encode_documents(["별은"]), plain.encode(["passage: 별은"]))
    assert not np.allclose(prefixed.encode(["별은"]), plain.encode(["별은"]))


def test_a_folder_that_holds_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be loaded as a sentence-transformers model"):
        SentenceEncoder(header(tmp_path)).encode(["별"])


def test_embed_by_a_model_then_search_and_mine(
    monkeypatch: pytest.MonkeyPatch, passages: Path, pairs: Path, queries: Path, model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "embeddings"
    arguments = ["embed", passages, "--pairs", pairs, "--method", "model", "--model", model, "-o", folder]
    assert run(monkeypatch, *arguments, "--shard", 5) == ""
    found = read_json(folder / "encoder" / "encoder.json", Header)
    assert (found.query_prefix, found.document_prefix) == ("query: ", "passage: ")
    assert np.allclose(np.linalg.norm(np.load(folder / "document_embeddings.npy"), axis=1), 1, atol=1e-6)
    assert not (tmp_path / ".embeddings.work").exists()
    search = ["search", passages, queries, "--with", f"dense:{folder}", "-o", tmp_path / "run.trec"]
    assert run(monkeypatch, *search) == ""
    assert len((tmp_path / "run.trec").read_text().splitlines()) == 36
    mine = ["mine", passages, pairs, "-o", tmp_path / "out", "--miners", "dense", "--hard", 2, "--easy", 1]
    assert run(monkeypatch, *mine, "--embeddings", folder, "--relative-margin", -1) == ""


def test_prefixes_given_win_over_those_of_the_name(
    monkeypatch: pytest.MonkeyPatch, passages: Path, model: Path, tmp_path: Path
) -> None:
    arguments = ["embed", passages, "--method", "model", "--model", model, "-o", tmp_path / "e", "--query-prefix", ""]
    assert run(monkeypatch, *arguments) == ""
    found = read_json(tmp_path / "e" / "encoder" / "encoder.json", Header)
    assert (found.query_prefix, found.document_prefix) == ("", "passage: ")


def test_stored_query_vectors_are_used_only_for_the_very_text(
    monkeypatch: pytest.MonkeyPatch, passages: Path, queries: Path, model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "e"
    arguments = ["embed", passages, "--queries", queries, "--method", "model", "--model", model, "-o", folder]
    assert run(monkeypatch, *arguments) == ""
    stored = np.load(folder / "query_embeddings.npy")
    np.save(folder / "query_embeddings.npy", np.full_like(stored, 0.5))
    found = read_embeddings(folder, read_collection(passages))
    vectors = found.encode([Query(id="q-1", text="배추 김치"), Query(id="q-1", text="지구를 돈다")])
    assert vectors[0].tolist() == [0.5] * 8
    assert np.allclose(vectors[1], SentenceEncoder(header(model, query="query: ")).encode(["지구를 돈다"])[0])


def test_embedding_killed_after_a_shard_goes_on_and_ends_with_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch, passages: Path, pairs: Path, model: Path, tmp_path: Path
) -> None:
    def embed(name: str) -> list[str]:
        options = ["--method", "model", "--model", str(model), "--shard", "4", "--work", str(tmp_path / "work")]
        return ["embed", str(passages), "--pairs", str(pairs), "-o", str(tmp_path / name), *options]

    killed_inside = (
        "import os, sys; from sparse_mining import cli; from sparse_mining.sentence_encoder import SentenceEncoder\n"
        "real = SentenceEncoder.encode_documents; calls = []\n"
        "def encode(self, texts):\n"
        "    calls.append(1)\n"
        "    if len(calls) == 3: os.kill(os.getpid(), 9)\n"
        "    return real(self, texts)\n"
        "SentenceEncoder.encode_documents = encode; cli.main()"
    )
    killed = subprocess.run([sys.executable, "-c", killed_inside, *embed("a")], capture_output=True, check=False)
    assert killed.returncode == -9
    assert len(list((tmp_path / "work" / "documents").glob("0*.npy"))) == 2
    assert not (tmp_path / "a").exists()
    encoded: list[int] = []
    real = SentenceEncoder.encode_documents

    def counted(self: SentenceEncoder, texts: list[str]) -> Matrix:
        encoded.append(len(texts))
        return real(self, texts)

    monkeypatch.setattr(SentenceEncoder, "encode_documents", counted)
    assert run(monkeypatch, *embed("a")) == ""
    assert encoded == [4]
    assert run(monkeypatch, *embed("b")) == ""
    for name in ("document_embeddings.npy", "query_embeddings.npy", "clusters.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_vectors_made_elsewhere_are_searched_by_id(
    monkeypatch: pytest.MonkeyPatch, embed_given: Given, passages: Path, queries: Path, tmp_path: Path
) -> None:
    arguments = embed_given(np.eye(12, 6, dtype=np.float32), np.eye(3, 6, dtype=np.float32) * 3)
    assert run(monkeypatch, *arguments) == ""
    search: list[object] = [
        "search",
        passages,
        queries,
        "--with",
        f"dense:{tmp_path / 'e'}",
        "-k",
        1,
        "-o",
        tmp_path / "run.trec",
    ]
    assert run(monkeypatch, *search) == ""
    lines = [line.split() for line in (tmp_path / "run.trec").read_text().splitlines()]
    assert [(line[0], line[2], line[4]) for line in lines] == [
        ("q-1", "search#0", "1.0"),
        ("q-2", "search#1", "1.0"),
        ("q-3", "search#2", "1.0"),
    ]
    write_lines(tmp_path / "other.jsonl", [{"_id": "q-9", "text": "별"}])
    search[2] = tmp_path / "other.jsonl"
    assert "has no vector of query 'q-9'" in run(monkeypatch, *search)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ((np.ones((11, 2), np.float32), TWO), "d.npy: has 11 rows, but there are 12 passages"),
        ((np.ones((12, 2), np.float32), TWO[:2]), "q.npy: has 2 rows, but there are 3 queries"),
        ((np.ones((12, 4), np.float32), TWO), "q.npy: has 2 dimensions, but "),
        ((np.ones((12, 2), np.float32), TWO * np.inf), "q.npy: row 0 has a value that is not a finite number"),
        ((np.ones((12, 2), np.int64), TWO), "d.npy: holds int64 of shape (12, 2), wanted floats"),
        ((np.ones(12, np.float32), TWO), "d.npy: holds float32 of shape (12,), wanted floats"),
    ],
)
def test_given_vectors_that_do_not_fit_are_named_and_nothing_is_overwritten(
    monkeypatch: pytest.MonkeyPatch, embed_given: Given, tmp_path: Path, given: tuple[Matrix, Matrix], error: str
) -> None:
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "earlier.txt").write_text("earlier")
    assert error in run(monkeypatch, *embed_given(*given))
    assert [path.name for path in (tmp_path / "e").iterdir()] == ["earlier.txt"]


def test_a_given_array_that_was_cut_off_is_named(
    monkeypatch: pytest.MonkeyPatch, embed_given: Given, tmp_path: Path
) -> None:
    arguments = embed_given(np.ones((12, 2), np.float32), TWO)
    whole = (tmp_path / "d.npy").read_bytes()
    (tmp_path / "d.npy").write_bytes(whole[:-5])
    assert "d.npy: is not a whole .npy file" in run(monkeypatch, *arguments)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--method", "model"], "--method model wants --model"),
        (["--method", "npy"], "--method npy wants --document-vectors"),
        (["--document-vectors", "d.npy"], "belong to --method npy"),
    ],
)
def test_options_that_do_not_belong_together_are_refused(
    monkeypatch: pytest.MonkeyPatch, passages: Path, tmp_path: Path, options: list[str], error: str
) -> None:
    assert error in run(monkeypatch, "embed", passages, "-o", tmp_path / "e", *options)


def test_an_encoder_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch, passages: Path, tmp_path: Path) -> None:
    assert run(monkeypatch, "embed", passages, "-o", tmp_path / "e", "--dimensions", 4) == ""
    file = tmp_path / "e" / "encoder" / "encoder.json"
    file.write_text(file.read_text().replace("svd_encoder", "elmo"))
    with pytest.raises(InputError, match="format 'elmo' is not known"):
        read_embeddings(tmp_path / "e", read_collection(passages))
