"""What the README shows works, in its order."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from exports import SUBJECTS, write_recipe
from os_deploy.cluster import Cluster
from os_deploy.connection import Connection

README = Path(__file__).parents[1] / "README.md"
PROGRAM = "from os_deploy.cli import main; main()"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.live
def test_the_example_runs_as_it_stands(connection: Connection, cluster: Cluster, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "docs", n_passages=32)
    recipe.write_text(blocks("yaml")[0], encoding="utf-8")
    queries = "".join(f'{{"_id":"q-{i}","text":"{text}"}}\n' for i, text in enumerate(SUBJECTS))
    (tmp_path / "queries.jsonl").write_text(queries, encoding="utf-8")
    lines = [line for line in blocks("console")[0].splitlines() if " server " not in line]
    assert len(lines) == 8
    for line in lines:  # `server` has tests of its own, and one is running here already
        command = [sys.executable, "-c", PROGRAM, *shlex.split(line)[1:]]
        environment = {**os.environ, "OPENSEARCH_URL": connection.url}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert (line, done.returncode, done.stderr if done.returncode else "") == (line, 0, "")
