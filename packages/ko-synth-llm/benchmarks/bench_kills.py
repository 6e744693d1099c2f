"""A run of 5,000 requests killed (SIGKILL) three times: its end equals an undisturbed run's, and what was asked twice.

Run: `python benchmarks/bench_kills.py [--records 5000] [--check | --record]`; it needs the extra `openai`.
"""

import argparse
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import add_options, settle
from ko_synth_llm._files import write_jsonl
from ko_synth_llm.new_task import write_new_task
from quick_server import server

CONCURRENCY = 32


def command(folder: Path, output: Path, url: str) -> list[str]:
    """A run by the command line."""
    options = ["--backend", "openai", "--model", "tiny", "--base-url", url, "--concurrency", str(CONCURRENCY)]
    code = "from ko_synth_llm.cli import main; main()"
    places = [str(folder / "tickets"), str(folder / "in.jsonl"), "-o", str(output)]
    return [sys.executable, "-c", code, "run", *places, *options]


def n_kept(work: Path) -> int:
    """Answers in the cache of a run that goes on."""
    path = work / "answers.sqlite"
    if not path.is_file():
        return 0
    try:
        database = sqlite3.connect(path, timeout=10)
        found = int(database.execute("SELECT COUNT(*) FROM answers").fetchone()[0])
        database.close()
    except sqlite3.OperationalError:
        return 0
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=5000)
    add_options(parser)
    options = parser.parse_args()
    n_records = options.records
    figures: dict[str, float] = {"n_records": n_records}
    with tempfile.TemporaryDirectory() as name, server(0.02) as url:
        folder = Path(name)
        write_new_task(folder / "tickets")
        write_jsonl(folder / "in.jsonl", [{"id": f"t{n}", "text": f"문의 {n}: 앱이 꺼져요."} for n in range(n_records)])
        subprocess.run(command(folder, folder / "calm.jsonl", url), check=True, capture_output=True)
        work = folder / ".killed.jsonl.work"
        for part in (1, 2, 3):
            process = subprocess.Popen(command(folder, folder / "killed.jsonl", url), stderr=subprocess.DEVNULL)
            while n_kept(work) < part * n_records // 4 and process.poll() is None:
                time.sleep(0.05)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            figures[f"kept_at_kill_{part}"] = n_kept(work)
        subprocess.run(command(folder, folder / "killed.jsonl", url), check=True, capture_output=True)
        same = (folder / "killed.jsonl").read_bytes() == (folder / "calm.jsonl").read_bytes()
    figures["same_bytes_as_undisturbed"] = float(same)
    settle("kills", figures, ratios=["same_bytes_as_undisturbed"], options=options)


if __name__ == "__main__":
    main()
