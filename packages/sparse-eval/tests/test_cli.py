"""The command line: the whole way from runs to a page, and what it says to bad input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sparse_eval._files import InputError
from sparse_eval.cli import app
from typer.testing import CliRunner


@pytest.fixture
def work(golden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "golden").symlink_to(golden)
    (tmp_path / "worse.trec").write_text("q-1 Q0 doc-2#0 1 2 w\nq-1 Q0 doc-1#1 2 1 w\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


JUDGED_BY = ("--qrels", "golden/evaluation/qrels/test.tsv", "--queries", "golden/evaluation/queries.jsonl")
RUNS = ("worse=worse.trec", "bm25=golden/run.trec")


def test_judge_writes_metrics_with_facts_and_prints_a_table(work: Path) -> None:
    vectors = ("--vectors", "golden/vectors.parquet", "--query-vectors", "golden/vectors.jsonl")
    timing = ("--timing", "golden/timing.json")
    shown = run("judge", "golden/run.trec", "--system", "bm25", "-o", "m.json", *JUDGED_BY, *vectors, *timing)
    metrics = json.loads((work / "m.json").read_text(encoding="utf-8"))
    assert metrics["facts"] == {
        "document_active_terms": 1.0,
        "query_active_terms": 1.0,
        "flops": 0.3333,
        "query_ms": 0.4,
    }
    assert metrics["measures"][0] == {
        "measure": "nDCG@10", "slice": "all", "value": 1.0, "low": 1.0, "high": 1.0, "n": 2,
    }  # fmt: skip
    assert shown.splitlines()[2].split()[:6] == ["|", "All", "|", "2", "|", "1.000"]
    assert json.loads((work / "m.json.manifest.json").read_text(encoding="utf-8"))["seed"] == 42


def test_runs_become_a_comparison_pictures_and_a_page(work: Path) -> None:
    run("judge", "golden/run.trec", "--system", "bm25", "-o", "m.json", *JUDGED_BY, "--timing", "golden/timing.json")
    shown = run("compare", *RUNS, "-o", "c.json", *JUDGED_BY, "--metrics", "m.json")
    assert "bm25 over worse" in shown
    comparison = json.loads((work / "c.json").read_text(encoding="utf-8"))
    assert comparison["systems"] == ["worse", "bm25"]
    assert comparison["rows"][1]["facts"] == {"query_ms": 0.4}
    assert run("plot", "c.json", "-o", "plots").split() == [
        f"plots/{n}.png" for n in ("quality", "by_slice", "efficiency")
    ]
    texts = ("--passages", "golden/passages")
    assert (
        run("report", "c.json", *RUNS, "-o", "report.html", *JUDGED_BY, *texts, "--plots", "plots") == "report.html\n"
    )
    page = (work / "report.html").read_text(encoding="utf-8")
    assert "bm25 against worse, query by query" in page
    assert "역색인(inverted index)은 단어에서 문서로 가는 길이다." in page
    for output in ("c.json", "plots", "report.html"):
        assert (work / f"{output}.manifest.json").is_file()


def test_the_same_inputs_give_the_same_bytes(work: Path) -> None:
    run("compare", *RUNS, "-o", "one.json", *JUDGED_BY)
    run("compare", *RUNS, "-o", "two.json", *JUDGED_BY)
    assert (work / "one.json").read_bytes() == (work / "two.json").read_bytes()


def test_a_report_may_be_asked_for_without_runs(work: Path) -> None:
    run("compare", *RUNS, "-o", "c.json", *JUDGED_BY)
    run("report", "c.json", "-o", "report.html")
    assert "query by query" not in (work / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare", "bm25", "-o", "c.json", *JUDGED_BY), "found 'bm25': wanted NAME=FILE"),
        (("compare", *RUNS, RUNS[0], "-o", "c.json", *JUDGED_BY), "found 'worse' twice"),
        (
            ("compare", *RUNS, "-o", "c.json", *JUDGED_BY, "--timing", "v9=golden/timing.json"),
            "found facts of the system 'v9': wanted one of worse, bm25",
        ),
        (("report", "c.json", *RUNS, "-o", "r.html", *JUDGED_BY, "--better", "v9"), "found no run of the system 'v9'"),
        (("report", "c.json", RUNS[0], "-o", "r.html", *JUDGED_BY), "found 1 run: wanted two at least"),
        (("report", "c.json", *RUNS, "-o", "r.html", *JUDGED_BY, "--than", "bm25"), "found 'bm25' against itself"),
        (("report", "c.json", "-o", "r.html", "--plots", "nowhere"), "quality.png: no such file: make it with"),
        (("plot", "newer.json", "-o", "plots"), "format 'comparison' has version 2, newer than 1"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(work: Path, arguments: tuple[str, ...], message: str) -> None:
    (work / "c.json").write_bytes((work / "golden" / "comparison.json").read_bytes())
    newer = {"format": "comparison", "version": 2, "systems": ["a"], "rows": [], "tests": []}
    (work / "newer.json").write_text(json.dumps(newer), encoding="utf-8")
    before = sorted(path.name for path in work.iterdir())
    with pytest.raises(InputError, match=message):
        run(*arguments)
    assert sorted(path.name for path in work.iterdir()) == before


def test_runs_without_qrels_are_wrong_use(work: Path) -> None:
    (work / "c.json").write_bytes((work / "golden" / "comparison.json").read_bytes())
    assert CliRunner().invoke(app, ["report", "c.json", *RUNS, "-o", "r.html"]).exit_code == 2


def test_importing_loads_nothing_heavy() -> None:
    heavy = "('numpy', 'polars', 'matplotlib', 'ir_measures', 'typer')"
    code = f"import sys, sparse_eval; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_public_name_can_be_loaded() -> None:
    import sparse_eval

    assert all(getattr(sparse_eval, name) for name in sparse_eval.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = sparse_eval.nothing


@pytest.mark.parametrize("module", ["comparison", "table", "report", "sources"])
def test_what_reads_no_vectors_does_without_polars(module: str) -> None:
    code = f"import sys, sparse_eval.{module}; assert 'polars' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
