"""The command line, called in this process."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ko_synth_llm.cli import main


@dataclass(frozen=True)
class Done:
    """What a command said and how it ended."""

    returncode: int
    stdout: str
    stderr: str


def ko_synth_llm(*arguments: object, ok: bool = True) -> Done:
    stdout, stderr = io.StringIO(), io.StringIO()
    argv = mock.patch.object(sys, "argv", ["ko-synth-llm", *map(str, arguments)])
    with argv, redirect_stdout(stdout), redirect_stderr(stderr), pytest.raises(SystemExit) as end:
        main()
    failure = end.value.code if isinstance(end.value.code, str) else ""
    returncode = 1 if failure else int(end.value.code or 0)
    assert (returncode == 0) == ok, stderr.getvalue() + failure
    return Done(returncode, stdout.getvalue(), stderr.getvalue() + failure)


def objects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
