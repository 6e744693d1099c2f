"""How far a run is: one line a stage on the terminal while it runs, and `progress.json` for other programs.

On a terminal the line of the running stage counts seconds; elsewhere each stage is one line when it ends.
"""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Literal, TextIO

from pretrain.recipe import Recipe, Stage

State = Literal["waiting", "running", "done", "unchanged", "failed", "stopped"]


class Progress:
    """Keeps `progress.json` and the terminal in step with a run."""

    def __init__(self, recipe: Recipe, folder: Path, *, terminal: TextIO) -> None:
        self._path = folder / "progress.json"
        self._terminal = terminal
        self._recipe = recipe.name
        self._started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._stages: dict[str, dict[str, object]] = {
            s.name: {"stage": s.name, "step": s.step, "state": "waiting", "seconds": None} for s in recipe.stages
        }
        self._running = threading.Event()
        self._ticker: threading.Thread | None = None
        self._begun = 0.0

    def begin(self, stage: Stage) -> None:
        """Says that a stage runs."""
        self._begun = time.monotonic()
        self._set(stage, "running", None)
        self._running.set()
        if self._terminal.isatty():
            self._ticker = threading.Thread(target=self._tick, args=(stage,), daemon=True)
            self._ticker.start()

    def end(self, stage: Stage, state: State) -> None:
        """Says how a stage ended."""
        self._running.clear()
        if self._ticker is not None:
            self._ticker.join()
            self._ticker = None
        seconds = time.monotonic() - self._begun
        self._set(stage, state, round(seconds, 2))
        start = "\r\033[K" if self._terminal.isatty() else ""
        mark = {"done": "done", "unchanged": "same", "failed": "FAILED"}.get(state, state)
        print(f"{start}{_line(stage)} {mark:>6} {seconds:6.1f} s", file=self._terminal, flush=True)

    def close(self, state: Literal["done", "failed", "stopped"]) -> None:
        """Says how the whole run ended."""
        self._write(state)

    def _tick(self, stage: Stage) -> None:
        while self._running.is_set():
            seconds = time.monotonic() - self._begun
            print(f"\r{_line(stage)} {seconds:13.0f} s", end="", file=self._terminal, flush=True)
            time.sleep(0.2)

    def _set(self, stage: Stage, state: State, seconds: float | None) -> None:
        self._stages[stage.name] |= {"state": state, "seconds": seconds}
        self._write("running")

    def _write(self, state: str) -> None:
        value = {
            "recipe": self._recipe,
            "state": state,
            "started": self._started,
            "stages": list(self._stages.values()),
        }
        part = self._path.with_name(".progress.json.part")
        try:
            part.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
            part.replace(self._path)
        finally:
            part.unlink(missing_ok=True)


def say(text: str) -> None:
    """Writes a line to the log, which is stderr."""
    print(text, file=sys.stderr, flush=True)


def _line(stage: Stage) -> str:
    return f"{stage.step:>2}  {stage.name:12} {stage.about:58}"
