"""The command line: exit codes, streams and files."""

import json
import subprocess
import sys
from pathlib import Path

from exports import write_export


def os_deploy(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    program = "from os_deploy.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_a_right_folder_exits_0_with_a_line_per_finding(tmp_path: Path) -> None:
    write_export(tmp_path / "deploy")
    done = os_deploy("check", "deploy", "-o", "check.json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "ok    models: SPARSE_ENCODING (encoder.zip), SPARSE_TOKENIZE (tokenizer.zip)"
    report = json.loads((tmp_path / "check.json").read_text())
    assert (report["format"], report["safe_for_opensearch"], len(report["checks"])) == ("inspection", True, 23)
    assert (tmp_path / "check.json.manifest.json").is_file()


def test_a_wrong_folder_exits_1_and_says_how_many_failed(tmp_path: Path) -> None:
    (write_export(tmp_path / "deploy") / "encoder.zip").unlink()
    done = os_deploy("check", "deploy", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "error: deploy: 1 of 13 checks failed\n"


def test_importing_and_help_are_light(tmp_path: Path) -> None:
    program = (
        "import sys, os_deploy, os_deploy.cli; print([m for m in ('torch', 'numpy', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_wrong_use_exits_2(tmp_path: Path) -> None:
    assert os_deploy("check", cwd=tmp_path).returncode == 2
