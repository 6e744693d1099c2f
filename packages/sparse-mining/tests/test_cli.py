"""Tests of the command line: real commands on real files, in this process."""

import json
import subprocess
import sys
from pathlib import Path

import faiss
import numpy as np
import pytest
from sparse_mining import cli

from .conftest import write_lines


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> str:
    """Runs a command and returns '' or the error it ended with."""
    monkeypatch.setattr(sys, "argv", ["sparse-mining", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return "" if ended.value.code == 0 else str(ended.value.code)


def test_search_writes_a_run_with_manifest_and_timing(
    monkeypatch: pytest.MonkeyPatch, passages: Path, queries: Path, tmp_path: Path
) -> None:
    output, timing = tmp_path / "run.trec", tmp_path / "timing.json"
    assert run(monkeypatch, "search", passages, queries, "-o", output, "--with", "bm25:kiwi", "--timing", timing) == ""
    lines = output.read_text().splitlines()
    assert lines[0].split()[:4] == ["q-1", "Q0", "food#0", "1"]
    assert {line.split()[0] for line in lines} == {"q-1", "q-3"}
    assert lines[0].split()[5] == "bm25-kiwi"
    assert json.loads(timing.read_text())["n_queries"] == 3
    assert json.loads((tmp_path / "run.trec.manifest.json").read_text())["counts"] == {
        "n_queries": 3,
        "n_documents": 12,
    }


def test_several_systems_write_what_each_would_alone(
    monkeypatch: pytest.MonkeyPatch, passages: Path, queries: Path, tmp_path: Path
) -> None:
    runs, searching = tmp_path / "runs", ["search", passages, queries, "--dimensions", 4]
    named = ["--with", "lexical=bm25:kiwi", "--with", "dense=dense:svd", "--fuse", "both=lexical+dense"]
    assert run(monkeypatch, *searching, *named, "-o", runs, "--timing", tmp_path / "times") == ""
    for name, spec in (("lexical", "bm25:kiwi"), ("dense", "dense:svd")):
        alone = tmp_path / f"{name}.trec"
        assert run(monkeypatch, *searching, "--with", spec, "-o", alone, "--tag", name) == ""
        assert (runs / f"{name}.trec").read_bytes() == alone.read_bytes()
        assert json.loads((tmp_path / "times" / f"{name}.timing.json").read_text())["system"] == name
        assert (runs / f"{name}.trec.manifest.json").exists()
    fused = ["fuse", tmp_path / "lexical.trec", tmp_path / "dense.trec", "-o", tmp_path / "both.trec", "--tag", "both"]
    assert run(monkeypatch, *fused) == ""
    assert (runs / "both.trec").read_bytes() == (tmp_path / "both.trec").read_bytes()


def test_no_run_is_written_where_one_of_several_systems_cannot_search(
    monkeypatch: pytest.MonkeyPatch, passages: Path, queries: Path, tmp_path: Path
) -> None:
    named = ["--with", "a=bm25:words", "--with", "b=sparse:none.parquet", "-o", tmp_path / "runs"]
    assert "none.parquet: no such file" in run(monkeypatch, "search", passages, queries, *named)
    assert not (tmp_path / "runs").exists()


def test_embed_then_search_finds_what_fitting_anew_finds(
    monkeypatch: pytest.MonkeyPatch, passages: Path, pairs: Path, queries: Path, tmp_path: Path
) -> None:
    folder, index = tmp_path / "embeddings", tmp_path / "faiss_index.bin"
    arguments = ["embed", passages, "--pairs", pairs, "-o", folder, "--dimensions", 4, "--index", index]
    assert run(monkeypatch, *arguments) == ""
    assert np.load(folder / "document_embeddings.npy").shape == (12, 4)
    assert np.load(folder / "query_embeddings.npy").shape == (12, 4)
    assert faiss.read_index(str(index)).ntotal == 12
    searching = ["search", passages, queries, "--dimensions", 4, "--with"]
    assert run(monkeypatch, *searching, "dense:svd", "-o", tmp_path / "a.trec", "--tag", "dense") == ""
    assert run(monkeypatch, *searching, f"dense:{folder}", "-o", tmp_path / "b.trec", "--tag", "dense") == ""
    assert (tmp_path / "a.trec").read_bytes() == (tmp_path / "b.trec").read_bytes()
    assert json.loads((tmp_path / "faiss_index.bin.manifest.json").read_text())["parameters"]["recall_at_10"] == 1.0
    by_index = [*searching, "dense:svd", "-o", tmp_path / "c.trec", "--embeddings", folder, "--faiss", index]
    assert run(monkeypatch, *by_index) == ""
    exact, found = ((tmp_path / f"{name}.trec").read_text().splitlines()[:5] for name in "ac")
    assert [line.split()[2] for line in exact] == [line.split()[2] for line in found]


def test_mine_writes_the_same_bytes_twice(
    monkeypatch: pytest.MonkeyPatch, passages: Path, pairs: Path, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        arguments = ["mine", passages, pairs, "-o", tmp_path / name, "--hard", 2, "--easy", 1, "--val-share", 0.25]
        assert run(monkeypatch, *arguments, "--dimensions", 4) == ""
    for name in ("train.jsonl", "val.jsonl", "metadata.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    metadata = json.loads((tmp_path / "a" / "metadata.json").read_text())
    assert (metadata["splits"]["train"]["n_groups"], metadata["splits"]["val"]["n_groups"]) == (9, 3)


def test_a_failed_mine_leaves_earlier_files_as_they_were(
    monkeypatch: pytest.MonkeyPatch, passages: Path, pairs: Path, tmp_path: Path
) -> None:
    write_lines(tmp_path / "bad.jsonl", [{"query_id": "q", "query": "색인", "doc_id": "no#1", "kind": "title"}])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "train.jsonl").write_text("earlier")
    assert "'no#1' is not in" in run(
        monkeypatch, "mine", passages, pairs, tmp_path / "bad.jsonl", "-o", tmp_path / "out"
    )
    assert (tmp_path / "out" / "train.jsonl").read_text() == "earlier"


def test_fuse_joins_two_runs(monkeypatch: pytest.MonkeyPatch, golden: Path, tmp_path: Path) -> None:
    output = tmp_path / "fused.trec"
    assert run(monkeypatch, "fuse", golden / "run.trec", golden / "run.trec", "-o", output, "--weights", "1,1") == ""
    assert output.read_text().splitlines()[0] == "q-1 Q0 doc-1#1 1 0.032786885 rrf"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--with", "bm25:nori"], "analyser 'nori' is not known"),
        (["--with", "elastic"], "'elastic' is no way to search"),
        (["--with", "sparse:none.parquet"], "none.parquet: no such file"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, passages: Path, queries: Path, arguments: list[str], error: str
) -> None:
    output = passages.parent / "run.trec"
    assert error in run(monkeypatch, "search", passages, queries, "-o", output, *arguments)
    assert not output.exists()


def test_help_imports_nothing_heavy() -> None:
    heavy = "{'numpy', 'scipy', 'numba', 'sklearn', 'faiss', 'torch', 'pyarrow', 'kiwipiepy'}"
    script = f"import sys; import sparse_mining.cli; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_stored_index_finds_what_a_fresh_one_finds(
    monkeypatch: pytest.MonkeyPatch, passages: Path, queries: Path, tmp_path: Path
) -> None:
    assert run(monkeypatch, "index", passages, "-o", tmp_path / "index") == ""
    searching = ["search", passages, queries, "--with", "bm25:kiwi", "-o"]
    assert run(monkeypatch, *searching, tmp_path / "a.trec") == ""
    assert run(monkeypatch, *searching, tmp_path / "b.trec", "--index", tmp_path / "index") == ""
    assert (tmp_path / "a.trec").read_bytes() == (tmp_path / "b.trec").read_bytes()
    other = ["search", passages, queries, "--with", "bm25:words", "-o", tmp_path / "c.trec"]
    assert "index of another analyser" in run(monkeypatch, *other, "--index", tmp_path / "index")


def test_the_audit_tells_each_candidate_left_out(
    monkeypatch: pytest.MonkeyPatch, passages: Path, pairs: Path, tmp_path: Path
) -> None:
    output, audit = tmp_path / "out", tmp_path / "audit.jsonl"
    arguments = ["mine", passages, pairs, "-o", output, "--hard", 2, "--easy", 1, "--dimensions", 4, "--audit", audit]
    assert run(monkeypatch, *arguments) == ""
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    metadata = json.loads((output / "metadata.json").read_text())
    n_dropped = sum(n for side in metadata["splits"].values() for n in side["dropped"].values())
    assert len(lines) == n_dropped > 0
    assert {line["reason"] for line in lines} <= {"same_document", "known_positive", "margin"}
    assert not (tmp_path / ".out.work").exists()


def test_mining_killed_after_a_shard_goes_on_and_ends_with_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch, passages: Path, pairs: Path, tmp_path: Path
) -> None:
    def mine(name: str) -> list[str]:
        options = ["--hard", "2", "--easy", "1", "--dimensions", "4", "--work", str(tmp_path / "work")]
        return ["mine", str(passages), str(pairs), "-o", str(tmp_path / name), *options]

    killed_inside = (
        "import os, sys; from sparse_mining import cli, mining, training; training.BATCH = 4\n"
        "real = mining._mine_batch; calls = []\n"
        "def batch(*given, **named):\n"
        "    calls.append(1)\n"
        "    if len(calls) == 3: os.kill(os.getpid(), 9)\n"
        "    return real(*given, **named)\n"
        "mining._mine_batch = batch; cli.main()"
    )
    killed = subprocess.run([sys.executable, "-c", killed_inside, *mine("a")], capture_output=True, check=False)
    assert killed.returncode == -9
    assert len(list((tmp_path / "work").rglob("0*.jsonl"))) == 2
    assert not (tmp_path / "a" / "train.jsonl").exists()
    monkeypatch.setattr("sparse_mining.training.BATCH", 4)
    assert run(monkeypatch, *mine("a")) == ""
    assert run(monkeypatch, *mine("b")) == ""
    assert (tmp_path / "a" / "train.jsonl").read_bytes() == (tmp_path / "b" / "train.jsonl").read_bytes()


def test_check_passes_what_mine_made_and_writes_arrow(
    monkeypatch: pytest.MonkeyPatch, golden: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "check", golden / "groups.jsonl", "--arrow", tmp_path / "arrow") == ""
    assert json.loads(capsys.readouterr().out)["n_groups"] == 1
    assert (tmp_path / "arrow" / "state.json").exists()
    against = ["--against", golden / "pairs.jsonl"]
    assert "1 x the query is met in another file" in run(monkeypatch, "check", golden / "groups.jsonl", *against)


def test_stats_tells_of_each_miner(
    monkeypatch: pytest.MonkeyPatch, golden: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "stats", golden / "groups.jsonl") == ""
    assert [m["miner"] for m in json.loads(capsys.readouterr().out)["miners"]] == ["bm25", "pairs", "random"]


def test_a_repeated_query_term_counts_once_unless_asked_for(
    monkeypatch: pytest.MonkeyPatch, passages: Path, tmp_path: Path
) -> None:
    write_lines(tmp_path / "q.jsonl", [{"_id": "once", "text": "배추"}, {"_id": "twice", "text": "배추 배추"}])
    for name, options in (("a", []), ("b", ["--repeats"])):
        output = tmp_path / f"{name}.trec"
        arguments = ["search", passages, tmp_path / "q.jsonl", "-o", output, "--with", "bm25:kiwi", *options]
        assert run(monkeypatch, *arguments) == ""
    lines = (tmp_path / "a.trec").read_text().splitlines()
    once, twice = ([line.split()[2:5] for line in lines if line.startswith(query)] for query in ("once", "twice"))
    assert once == twice
    doubled = [float(line.split()[4]) for line in (tmp_path / "b.trec").read_text().splitlines()]
    assert doubled[len(once)] == pytest.approx(2 * doubled[0])


def test_embed_by_svd_never_imports_torch(passages: Path, tmp_path: Path) -> None:
    arguments = ["sparse-mining", "embed", str(passages), "-o", str(tmp_path / "e"), "--dimensions", "4"]
    script = (
        f"import sys; sys.argv = {arguments!r}\n"
        "from sparse_mining import cli\n"
        "try: cli.main()\n"
        "except SystemExit as ended: print(ended.code, 'torch' in sys.modules, 'numba' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "0 False False\n"
