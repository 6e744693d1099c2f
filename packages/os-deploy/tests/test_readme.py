"""What the README shows works, in its order."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from exports import SUBJECTS, write_recipe
from os_deploy.cluster import Cluster
from os_deploy.connection import Connection

README = Path(__file__).parents[1] / "README.md"
SCHEMAS = Path(__file__).parents[3] / "docs/formats/schemas"
PROGRAM = "from os_deploy.cli import main; main()"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.live
def test_the_example_runs_as_it_stands(connection: Connection, cluster: Cluster, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "docs", n_passages=32)
    recipe.unlink()
    queries = "".join(f'{{"_id":"q-{i}","text":"{text}"}}\n' for i, text in enumerate(SUBJECTS))
    (tmp_path / "queries.jsonl").write_text(queries, encoding="utf-8")
    lines = [line for line in blocks("console")[0].splitlines() if " server " not in line]
    assert len(lines) == 9
    said: dict[str, list[str]] = {}
    for line in lines:  # `server` has tests of its own, and one is running here already
        command = [sys.executable, "-c", PROGRAM, *shlex.split(line)[1:]]
        environment = {**os.environ, "OPENSEARCH_URL": connection.url}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert (line, done.returncode, done.stderr if done.returncode else "") == (line, 0, "")
        said[line.split()[1]] = done.stdout.splitlines()
    assert yaml.safe_load(recipe.read_text(encoding="utf-8")) == yaml.safe_load(blocks("yaml")[0])
    assert said["deploy"][-1] == "docs is docs-v1: 32 passages, 32 sent now"
    assert "도서관 학생" in said["search"][0]
    assert [line.split()[:2] for line in said["parity"]] == [
        ["ok", "document_vectors:"],
        ["ok", "query_weights:"],
        ["ok", "ranking:"],
    ]
    assert said["bench"][-1].startswith("recommended: docs ")
    assert said["versions"] == ["   1  docs-v1  32 passages  serves"]
    assert said["remove"][0] == "index docs-v1"
    check_files(tmp_path)


def check_files(folder: Path) -> None:
    """What the example wrote is in the formats that it names."""

    def valid(name: str, schema: str) -> None:
        record = json.loads((folder / name).read_text(encoding="utf-8"))
        jsonschema.validate(record, json.loads((SCHEMAS / f"{schema}.schema.json").read_text(encoding="utf-8")))

    valid("timing.json", "timing")
    valid("parity.json", "inspection")
    valid("run.trec.manifest.json", "manifest")
    assert json.loads((folder / "deployment.json").read_text(encoding="utf-8"))["proof"][0]["found"] == "32 of 32"
    assert (folder / "run.trec").read_text(encoding="utf-8").split()[0:6:5] == ["q-0", "sparse"]
    rows = json.loads((folder / "bench.json").read_text(encoding="utf-8"))["rows"]
    assert {row["mode"] for row in rows} == {"bm25", "sparse", "two_phase", "hybrid", "rrf"}
    assert (folder / "bench.png").read_bytes().startswith(b"\x89PNG")
