"""Tests of the command `mine`: its searches, its bad inputs; real commands on real files, in this process."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sparse_mining import cli
from sparse_mining.groups import read_groups
from sparse_mining.passages import read_collection
from tokenizers import Tokenizer, models, pre_tokenizers

from .conftest import write_lines

Run = Callable[..., str]
WORDS = ["[UNK]", "지구를", "돈다", "달은", "해를", "별은", "금리는", "물가를"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command and returns '' or the error it ended with."""

    def call(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["sparse-mining", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return "" if ended.value.code == 0 else str(ended.value.code)

    return call


@pytest.fixture
def mine(run: Run, passages: Path, pairs: Path, tmp_path: Path) -> Run:
    """Mines the pairs into the folder named first."""

    def call(name: str, *arguments: object) -> str:
        small = ["--hard", 2, "--easy", 1, "--val-share", 0, "--relative-margin", -1]
        return run("mine", passages, pairs, "-o", tmp_path / name, *small, *arguments)

    return call


def write_vectors(path: Path, vectors: dict[str, dict[str, float]]) -> None:
    table = pa.table(
        {
            "id": pa.array(list(vectors)),
            "token_ids": pa.array([[WORDS.index(w) for w in v] for v in vectors.values()], pa.list_(pa.int32())),
            "weights": pa.array([list(v.values()) for v in vectors.values()], pa.list_(pa.float32())),
        }
    )
    pq.write_table(table.replace_schema_metadata({"vocabulary": json.dumps(WORDS)}), path)


def test_an_index_on_disk_is_used_and_one_of_other_settings_refused(
    run: Run, mine: Run, passages: Path, tmp_path: Path
) -> None:
    assert run("index", passages, "-o", tmp_path / "index", "--analyser", "words", "--k1", 0.9) == ""
    for name, options in (("fresh", []), ("stored", ["--index", tmp_path / "index"])):
        assert mine(name, "--miners", "bm25:words", "--k1", 0.9, *options) == ""
    assert (tmp_path / "fresh" / "train.jsonl").read_bytes() == (tmp_path / "stored" / "train.jsonl").read_bytes()
    other = mine("other", "--miners", "bm25:words", "--index", tmp_path / "index")
    assert "index of another settings" in other
    assert "index of another analyser" in mine("other", "--miners", "bm25", "--k1", 0.9, "--index", tmp_path / "index")
    assert not (tmp_path / "other").exists()


def test_a_repeated_query_term_counts_as_often_as_it_stands_there_where_that_is_asked_for(
    run: Run, passages: Path, tmp_path: Path
) -> None:
    pair = {"query_id": "q", "query": "지구를 지구를", "doc_id": "sky#1", "kind": "question"}
    write_lines(tmp_path / "twice.jsonl", [pair])
    asked = ["mine", passages, tmp_path / "twice.jsonl", "--miners", "bm25:words", "--scores", "raw", "--val-share", 0]
    for name, options in (("once", []), ("twice", ["--repeats"])):
        assert run(*asked, "--hard", 1, "--easy", 1, "-o", tmp_path / name, *options) == ""
    once, twice = (next(read_groups(tmp_path / name / "train.jsonl")).scores[0] for name in ("once", "twice"))
    assert twice == pytest.approx(2 * once)


def test_sparse_vectors_are_mined_by_tokens_times_idf_and_by_query_vectors(
    mine: Run, passages: Path, pairs: Path, tmp_path: Path
) -> None:
    ids = read_collection(passages).ids()
    documents = {i: {"지구를": 1.0, "돈다": 0.1 * n} for n, i in enumerate(ids, start=1)}
    write_vectors(tmp_path / "documents.parquet", documents)
    asked = [json.loads(line)["query_id"] for line in pairs.read_text().splitlines()]
    write_vectors(tmp_path / "queries.parquet", {i: {"지구를": 2.0, "돈다": 1.0} for i in asked})
    tokenizer = Tokenizer(models.WordLevel({w: n for n, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "idf.json").write_text(json.dumps(dict.fromkeys(WORDS[1:], 1.0) | {"[UNK]": 0.0}, ensure_ascii=False))
    spec = f"sparse:{tmp_path / 'documents.parquet'}"
    idf = ["--query-idf", tmp_path / "idf.json", "--query-tokenizer", tmp_path / "tokenizer.json"]
    assert mine("tokens", "--miners", spec, *idf) == ""
    both = ["--miners", f"{spec}=1,bm25:words=1", "--query-vectors", tmp_path / "queries.parquet"]
    assert mine("vectors", *both) == ""
    moon = next(g for g in read_groups(tmp_path / "tokens" / "train.jsonl") if g.query == "달은 지구를")
    assert [label for label, source in zip(moon.labels, moon.sources, strict=True) if source[:6] == "sparse"] == [
        "hard"
    ] * 2
    best = next(read_groups(tmp_path / "vectors" / "train.jsonl"))
    assert dict(zip(best.sources, best.d_ids, strict=True))["sparse@1"] == ids[-1]
    assert "--query-vectors, or --query-idf together with" in mine("none", "--miners", spec)


@pytest.mark.parametrize(
    ("miners", "names"),
    [
        ("bm25:words", ["bm25"]),
        ("bm25:words=1,bm25:bigrams=1", ["bm25:words", "bm25:bigrams"]),
        ("dense=1,clusters=1", ["dense", "clusters"]),
    ],
)
def test_miners_go_by_their_kind_or_by_all_of_their_spec(
    mine: Run, tmp_path: Path, miners: str, names: list[str]
) -> None:
    assert mine("out", "--miners", miners, "--dimensions", 4) == ""
    metadata = json.loads((tmp_path / "out" / "metadata.json").read_text())
    assert [miner["name"] for miner in metadata["miners"]] == list(metadata["plan"]["quotas"]) == names
    assert set(metadata["splits"]["train"]["sources"]) <= {*names, "pairs", "random"}


def test_random_sampling_keeps_to_the_window_and_is_the_same_twice(mine: Run, tmp_path: Path) -> None:
    asked = ["--miners", "dense", "--dimensions", 4, "--window", "3:12"]
    for name in ("a", "b"):
        assert mine(name, *asked, "--sampling", "random") == ""
    assert mine("top", *asked) == ""
    drawn = list(read_groups(tmp_path / "a" / "train.jsonl"))
    assert drawn == list(read_groups(tmp_path / "b" / "train.jsonl"))
    assert drawn != list(read_groups(tmp_path / "top" / "train.jsonl"))
    ranks = [int(s.partition("@")[2]) for group in drawn for s in group.sources if s.startswith("dense")]
    assert min(ranks) >= 3


def test_floors_ceilings_and_an_absolute_margin_are_counted(mine: Run, tmp_path: Path) -> None:
    asked = ["--miners", "dense", "--dimensions", 4, "--min-score", "dense=0.1", "--max-score", 0.9]
    assert mine("out", *asked, "--absolute-margin", 0.2) == ""
    dropped = json.loads((tmp_path / "out" / "metadata.json").read_text())["splits"]["train"]["dropped"]
    assert {"floor", "ceiling", "margin"} & set(dropped)


def test_qrels_and_a_text_of_many_queries_are_heeded(run: Run, mine: Run, passages: Path, tmp_path: Path) -> None:
    (tmp_path / "qrels.tsv").write_text(
        "query-id\tcorpus-id\tscore\nsky#1:heading\tsky#2\t1\nsky#1:heading\tmoney#0\t1\n"
    )
    audit = tmp_path / "audit.jsonl"
    assert (
        mine("out", "--miners", "dense", "--dimensions", 4, "--qrels", tmp_path / "qrels.tsv", "--audit", audit) == ""
    )
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    known = {line["d_id"] for line in lines if line["q_id"] == "sky#1:heading" and line["reason"] == "known_positive"}
    assert known == {"sky#2"}
    generic = [
        {"query_id": f"q-{i}", "query": "설명", "doc_id": i, "kind": "heading"} for i in read_collection(passages).ids()
    ]
    write_lines(tmp_path / "generic.jsonl", [*generic, {**generic[0], "query_id": "q", "query": "검색 엔진"}])
    asked = ["mine", passages, tmp_path / "generic.jsonl", "--miners", "bm25:words", "--hard", 1, "--val-share", 0]
    assert run(*asked, "-o", tmp_path / "generic") == ""
    metadata = json.loads((tmp_path / "generic" / "metadata.json").read_text())
    assert metadata["pairs_left_out"] == {"generic_query": 12}
    assert run(*asked, "-o", tmp_path / "kept", "--max-equal-queries", 0) == ""
    assert json.loads((tmp_path / "kept" / "metadata.json").read_text())["splits"]["train"]["n_groups"] == 13


def test_an_empty_corpus_and_too_few_passages_are_named(run: Run, mine: Run, pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    output = tmp_path / "out"
    assert "empty.jsonl: holds no passage" in run("mine", tmp_path / "empty.jsonl", pairs, "-o", output)
    assert "12 passages, but a group wants 32" in mine("out", "--hard", 30, "--miners", "bm25:words")
    assert not output.exists()


@pytest.mark.parametrize(
    ("harm", "error"),
    [
        ("nan", "row 3 has a value that is not a finite number"),
        ("narrow", "wanted 4 dimensions"),
        ("cut", "is not a whole .npy file"),
    ],
)
def test_harmed_embeddings_are_named_and_nothing_is_overwritten(
    run: Run, mine: Run, passages: Path, tmp_path: Path, harm: str, error: str
) -> None:
    folder, output = tmp_path / "embeddings", tmp_path / "out"
    assert run("embed", passages, "-o", folder, "--dimensions", 4) == ""
    file = folder / "document_embeddings.npy"
    vectors = np.load(file)
    if harm == "nan":
        vectors[3, 0] = np.nan
        np.save(file, vectors)
    elif harm == "narrow":
        np.save(file, vectors[:, :3])
    else:
        file.write_bytes(file.read_bytes()[:-7])
    output.mkdir()
    (output / "train.jsonl").write_text("earlier")
    found = mine("out", "--miners", "dense", "--embeddings", folder)
    assert "document_embeddings.npy" in found
    assert error in found
    assert (output / "train.jsonl").read_text() == "earlier"
