import json
import subprocess
import sys
from pathlib import Path

import pytest
from sparse_encoder._files import InputError
from sparse_encoder.cli import app
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
