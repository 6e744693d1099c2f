import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from ko_corpus._files import InputError
from ko_corpus.cli import app
from tokenizers import Tokenizer
from typer.testing import CliRunner

STEPS = (
    "load {golden}/documents.jsonl -o documents.jsonl --duplicates duplicate_clusters.jsonl",
    "chunk documents.jsonl -o passages",
    "pairs passages/ -o qd_pairs_base.jsonl --kinds title,first_sentence,heading --split 80,10,10 --seed 42",
    "trends documents.jsonl -o trend_keywords.json --recent-months 4",
    "idf passages --tokenizer {tokenizer} -o idf.json --trends trend_keywords.json --max-boost 1.5",
)
OUTPUTS = (
    "documents.jsonl",
    "duplicate_clusters.jsonl",
    "passages/corpus.jsonl",
    "qd_pairs_base.jsonl",
    "trend_keywords.json",
    "idf.json",
)


@pytest.fixture
def steps(golden: Path, tmp_path: Path, wordpiece: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands of a whole run, in an empty folder."""
    wordpiece.save(str(tmp_path / "tokenizer.json"))
    monkeypatch.chdir(tmp_path)
    return [step.format(golden=golden, tokenizer=tmp_path / "tokenizer.json").split() for step in STEPS]


def run_all(steps: list[list[str]]) -> list[bytes]:
    for step in steps:
        result = CliRunner().invoke(app, step, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert result.stdout == ""
    return [Path(name).read_bytes() for name in OUTPUTS]


def test_a_whole_run_gives_the_same_bytes_again(steps: list[list[str]]) -> None:
    assert run_all(steps) == run_all(steps)


def test_every_output_satisfies_the_schema_of_its_format(steps: list[list[str]], repository: Path) -> None:
    run_all(steps)
    checked = []
    for path in map(Path, OUTPUTS):
        manifests = [*Path().glob(f"{path.parts[0]}.manifest.json"), Path("documents.jsonl.manifest.json")]
        outputs = [o for m in manifests for o in json.loads(m.read_text())["outputs"] if o["path"] == path.parts[0]]
        name = outputs[0]["format"]
        schema = json.loads((repository / "docs" / "formats" / "schemas" / f"{name}.schema.json").read_text())
        text = path.read_text(encoding="utf-8")
        for value in map(json.loads, text.splitlines()) if path.suffix == ".jsonl" else [json.loads(text)]:
            jsonschema.validate(value, schema)
        checked.append(name)
    assert checked == ["documents", "duplicate_clusters", "passages", "pairs", "trends", "idf"]


def test_every_output_has_a_manifest_that_names_inputs_and_counts(steps: list[list[str]]) -> None:
    run_all(steps)
    for name in ("documents.jsonl", "passages", "qd_pairs_base.jsonl", "trend_keywords.json", "idf.json"):
        manifest = json.loads(Path(f"{name}.manifest.json").read_text())
        assert (manifest["package"], manifest["outputs"][0]["path"]) == ("ko-corpus", name)
        assert manifest["inputs"]
    assert json.loads(Path("documents.jsonl.manifest.json").read_text())["counts"] == {
        "read": 2,
        "empty": 0,
        "duplicates": 0,
        "kept": 2,
    }


def test_a_corrupt_line_leaves_the_earlier_output_as_it_was(steps: list[list[str]], tmp_path: Path) -> None:
    before = run_all(steps)
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"id":"a","text":"가"}\n{"id":"b","text":\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"bad.jsonl:2: "):
        CliRunner().invoke(app, ["load", str(bad), "-o", "documents.jsonl"], catch_exceptions=False)
    assert [Path(name).read_bytes() for name in OUTPUTS] == before
    assert not list(tmp_path.glob(".*.part"))


def test_bad_input_exits_1_with_one_line_and_wrong_use_exits_2(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from ko_corpus.cli import main; main()"]
    missing = [*command, "chunk", str(tmp_path / "none.jsonl"), "-o", str(tmp_path / "p")]
    failed = subprocess.run(missing, capture_output=True, text=True, check=False)
    assert (failed.returncode, failed.stderr) == (1, f"error: {tmp_path / 'none.jsonl'}: no such file\n")
    assert list(tmp_path.iterdir()) == [] or list(tmp_path.rglob("corpus.jsonl")) == []
    assert subprocess.run([*command, "chunk"], capture_output=True, check=False).returncode == 2


@pytest.mark.parametrize(
    "arguments",
    [
        "chunk d.jsonl -o p --min-chars 500 --max-chars 400",
        "pairs p -o q.jsonl --kinds titel",
        "pairs p -o q.jsonl --split 80,20",
        "load d.jsonl -o o.jsonl --near 1.5",
    ],
)
def test_options_that_make_no_sense_are_wrong_use(arguments: str) -> None:
    assert CliRunner().invoke(app, arguments.split()).exit_code == 2


def test_documents_without_text_are_counted_and_left_out(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text('{"id":"a","text":" \\n "}\n{"id":"b","text":"나"}\n', encoding="utf-8")
    result = CliRunner().invoke(app, ["load", str(tmp_path / "d.jsonl"), "-o", str(tmp_path / "o.jsonl")])
    assert result.stderr.startswith("2 read, 1 empty, 0 duplicates, 1 kept")


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, ko_corpus, ko_corpus.cli; "
        "print(sorted({'numpy', 'kiwipiepy', 'tokenizers', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_public_name_is_there() -> None:
    import ko_corpus

    assert all(getattr(ko_corpus, name) for name in ko_corpus.__all__)
    with pytest.raises(AttributeError, match="no attribute 'chnuk'"):
        _ = ko_corpus.chnuk
