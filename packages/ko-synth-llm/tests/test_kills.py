"""kill -9 at any moment loses at most the requests in flight: 5,000 requests, killed three times."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from a_task import a_folder
from ko_synth_llm._files import write_jsonl
from model_server import seen, served

N_RECORDS = 5000
CONCURRENCY = 32


def test_a_run_of_5000_killed_three_times_ends_with_the_same_bytes_and_asks_little_twice(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    write_jsonl(source, [{"id": f"r{n}", "text": f"질문 {n}"} for n in range(N_RECORDS)])
    task = a_folder(tmp_path / "echo")
    output = tmp_path / "a.jsonl"

    def command(output: Path, url: str) -> list[str]:
        code = "from ko_synth_llm.cli import main; main()"
        options = ["--backend", "openai", "--model", "tiny", "--base-url", url, "--concurrency", str(CONCURRENCY)]
        return [sys.executable, "-c", code, "run", str(task), str(source), "-o", str(output), *options]

    with served() as url:
        subprocess.run(command(tmp_path / "calm.jsonl", url), check=True, capture_output=True)
    with served() as url:
        for part in (1, 2, 3):
            with subprocess.Popen(command(output, url), stderr=subprocess.DEVNULL) as process:
                while n_requests(url) < part * N_RECORDS // 4 and process.poll() is None:
                    time.sleep(0.01)
                os.kill(process.pid, signal.SIGKILL)
            assert process.returncode == -signal.SIGKILL
            assert not output.exists()
        subprocess.run(command(output, url), check=True, capture_output=True)
        n_asked = n_requests(url)
    assert output.read_bytes() == (tmp_path / "calm.jsonl").read_bytes()
    assert len(output.read_bytes().splitlines()) == N_RECORDS
    assert N_RECORDS <= n_asked <= N_RECORDS + 3 * 2 * CONCURRENCY
    assert not (tmp_path / ".a.jsonl.work").exists()


def n_requests(url: str) -> int:
    found = seen(url)["n_requests"]
    assert isinstance(found, int)
    return found
