"""vLLM for real, on CPU, with a tiny model of random weights: in this process and as a server over HTTP.

Random weights mean nothing, so that whatever is valid is so by structure alone. `nox -s llm` runs it.
"""

import asyncio
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from ko_synth_llm import Answered, Backend, Connection, OpenAIBackend, Options, load_task, run
from ko_synth_llm.asking import Request
from ko_synth_llm.backends import Reply
from ko_synth_llm.engine import Engine
from ko_synth_llm.tasks import built_in_tasks, with_sampling
from tiny_model import save_tiny_model

pytestmark = [
    pytest.mark.skipif(find_spec("vllm") is None, reason="needs vLLM: nox -s llm"),
    pytest.mark.filterwarnings("ignore"),  # vLLM and torch warn of their own parts
]
LENGTH = 32768
START_S = 240.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("tiny"), max_length=LENGTH)


@pytest.fixture(scope="module")
def server(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`vllm serve` on a free port; its log is shown where it does not start."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    program = shutil.which("vllm", path=str(Path(sys.executable).parent)) or "vllm"
    options = ["--port", str(port), "--host", "127.0.0.1", "--served-model-name", "tiny", "--enforce-eager"]
    with log.open("wb") as out:
        process = subprocess.Popen([program, "serve", str(model), *options], stdout=out, stderr=out)
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(30)


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    started = time.monotonic()
    while time.monotonic() - started < START_S and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"vllm serve did not start: {log.read_text(errors='replace')[-3000:]}")


class Open:
    """A backend that several runs share: each of them would close it at its end."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.model, self.revision = backend.model, backend.revision

    async def reply(self, request: Request, /) -> Reply:
        return await self.backend.reply(request)


def outcomes(backend: Backend, name: str, *, settings: list[str]) -> list[object]:
    """What became of two records of a task's own examples; `run` checks each answer against the schema."""
    task = with_sampling(load_task(name), ["max_tokens=6000", *settings])
    records = [example.record for example in task.examples[:2]]
    return [result.outcome for result in run(task, records, backend, options=Options(max_asks=1, keeps_reasoning=True))]


def test_every_task_gets_schema_valid_answers_from_vllm_in_this_process(model: Path) -> None:
    from ko_synth_llm.vllm_engine import VllmBackend

    loaded = VllmBackend(str(model), Engine(max_model_len=LENGTH, dtype="bfloat16"))
    backend = Open(loaded)
    try:
        for name in built_in_tasks():
            found = outcomes(backend, name, settings=[])
            assert all(isinstance(outcome, Answered) for outcome in found), (name, found)
        (thought, _) = outcomes(backend, "synonym_judge", settings=["thinking=20"])
        assert isinstance(thought, Answered)
        assert thought.reasoning
        (plain, _) = outcomes(backend, "synonym_judge", settings=["thinking=off"])
        assert isinstance(plain, Answered)
        assert not plain.reasoning
    finally:
        asyncio.run(loaded.aclose())


def test_every_task_gets_schema_valid_answers_from_vllm_serve(server: str) -> None:
    for name in built_in_tasks():
        backend = OpenAIBackend(Connection(model="tiny", base_url=server, timeout_s=300))
        found = outcomes(backend, name, settings=["thinking=off"])
        assert all(isinstance(outcome, Answered) for outcome in found), (name, found)
