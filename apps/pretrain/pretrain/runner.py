"""Runs the stages of a recipe one after the other through DVC, which skips what has not changed.

What a stage prints goes to `logs/<stage>.log`; when it fails, its last words are shown and its outputs put back.
"""

import hashlib
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from dvc.exceptions import DvcException
from dvc.repo import Repo

from pretrain.errors import PipelineError
from pretrain.graph import versions, write_graph
from pretrain.history import keep_version
from pretrain.lock import has_run
from pretrain.progress import Progress, say
from pretrain.recipe import Stage
from pretrain.repository import check_out, opened, target
from pretrain.runs import Run

_OWNER = "KO_SPARSE_RUN"
"""Environment variable of every process of a run: `<pid of the pipeline>:<folder of the run>`."""

_SHOWN = 3
"""Reasons of a stage that `status` names."""

_INTERRUPTED = ("exited with 130", "exited with -2")
"""How DVC ends its sentence on a command that SIGINT stopped: by the exit code of our commands, or by the signal."""


def run_stages(run: Run, *, until: str = "", forced: tuple[str, ...] = ()) -> None:
    """Runs what has to run, prints the comparison at the end, and keeps the result as a version."""
    for name in (*forced, *([until] if until else [])):
        run.recipe.stage(name)
    run.recipe.refuse_missing()
    write_graph(run.recipe, run.folder)
    _stop_orphans(run)
    _set_environment(run)
    for name in ("logs", ".cache"):
        (run.folder / name).mkdir(exist_ok=True)
    _write_facts(run)
    terminal = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8")
    progress = Progress(run.recipe, run.folder, terminal=terminal)
    try:
        with opened(run.folder) as repo:
            for stage in _stages_until(run, until):
                _run_stage(run, repo, stage, progress, force=stage.name in forced)
    except KeyboardInterrupt:
        progress.close("stopped")
        say("stopped: run the same command again to go on")
        sys.exit(130)
    except PipelineError:
        progress.close("failed")
        raise
    progress.close("done")
    if not until:
        keep_version(run)
        shutil.rmtree(run.work(), ignore_errors=True)
        print_result(run)


def print_status(run: Run) -> None:
    """Prints which stages would run and why, one a line."""
    write_graph(run.recipe, run.folder)
    with opened(run.folder) as repo:
        for stage in run.recipe.stages:
            if has_run(run.folder, stage.name):
                found = repo.status(targets=[target(run.folder, stage.name)])
                reasons = [reason for entries in found.values() for entry in entries for reason in _reasons(run, entry)]
            else:
                reasons = ["has not run yet"]
            print(
                f"{stage.step:>2}  {stage.name:12} {'would run: ' + _shortened(reasons) if reasons else 'up to date'}"
            )


def print_result(run: Run) -> None:
    """Prints the comparison table on stdout and where everything lies on stderr."""
    table = run.folder / "evaluation" / "comparison.txt"
    if table.is_file():
        print(table.read_text(encoding="utf-8"), end="")
    say("")
    for stage in run.recipe.stages:
        for made in stage.makes:
            if stage.step >= 5 and (run.folder / made).exists():
                say(f"{stage.name:12} {os.path.relpath(run.folder / made)}")


def _stages_until(run: Run, until: str) -> tuple[Stage, ...]:
    names = [stage.name for stage in run.recipe.stages]
    return run.recipe.stages[: names.index(until) + 1] if until else run.recipe.stages


def _run_stage(run: Run, repo: Repo, stage: Stage, progress: Progress, *, force: bool) -> None:
    _check_needs(run, stage)
    _prepare_work(run, stage)
    progress.begin(stage)
    log = run.folder / "logs" / f"{stage.name}.log"
    try:
        with _printing_to(log):
            ran = repo.reproduce(targets=[target(run.folder, stage.name)], single_item=True, force=force)
    except (DvcException, OSError) as error:
        reason = _explain(stage, error, log)
        progress.end(stage, "failed" if isinstance(reason, PipelineError) else "stopped")
        _put_back(run, repo, stage)
        raise reason from error
    progress.end(stage, "done" if ran else "unchanged")
    shutil.rmtree(run.work(stage.name), ignore_errors=True)
    run.work(f"{stage.name}.for").unlink(missing_ok=True)


def _check_needs(run: Run, stage: Stage) -> None:
    """Names a missing input, the stage that makes it and the command that runs that stage."""
    maker = {made: s.name for s in run.recipe.stages for made in s.makes}
    for need in stage.needs:
        if not (run.folder / need).exists():
            made_by = maker.get(need)
            again = f"stage {made_by!r} makes it: uv run apps/pretrain --force {made_by}"
            what = again if made_by else f"it is named in {run.recipe.path}"
            path = os.path.normpath(run.folder / need)
            raise PipelineError(f"stage {stage.name!r} needs {path}, which does not exist; {what}")


def _prepare_work(run: Run, stage: Stage) -> None:
    """Makes the stage's folder for partial work, empty if what is in it was made from other inputs or settings."""
    work, note = run.work(stage.name), run.work(f"{stage.name}.for")
    identity = hashlib.sha256("\n".join((*stage.commands, *_states(run, stage))).encode()).hexdigest()
    if not note.is_file() or note.read_text(encoding="utf-8") != identity:
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    note.write_text(identity, encoding="utf-8")


def _states(run: Run, stage: Stage) -> Iterator[str]:
    """Name, size and time of every file that the stage reads; hashing them is DVC's work."""
    for need in stage.needs:
        path = run.folder / need
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                found = file.stat()
                yield f"{need}/{file.name} {found.st_size} {found.st_mtime_ns}"


def _put_back(run: Run, repo: Repo, stage: Stage) -> None:
    """Restores what the failed stage had made the last time; DVC removed it before the stage ran."""
    if has_run(run.folder, stage.name):
        try:
            check_out(repo, run.folder, stage.name)
        except PipelineError as error:
            say(str(error))


def _explain(stage: Stage, error: Exception, log: Path) -> BaseException:
    """What ended a stage: a sentence with its last words, or that it was interrupted from the keyboard."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    words = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    if str(cause).endswith(_INTERRUPTED):
        return KeyboardInterrupt()
    own = [line for line in words if line.startswith("error: ")]
    reason = own[-1].removeprefix("error: ") if own else "\n".join([str(cause), *words[-15:]])
    return PipelineError(f"{reason}\n(stage {stage.name!r}; its whole output: {log})")


@contextmanager
def _printing_to(log: Path) -> Iterator[None]:
    """Sends what this process and its children print to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(kept[0], 1)
            os.dup2(kept[1], 2)
            os.close(kept[0])
            os.close(kept[1])


def _stop_orphans(run: Run) -> None:
    """Stops processes of an earlier run of this folder whose pipeline was killed; refuses while that one lives."""
    for process in psutil.process_iter(["pid"]):
        try:
            owner, _, folder = process.environ().get(_OWNER, "").partition(":")
        except (psutil.Error, OSError):
            continue
        if folder != str(run.folder) or process.pid == os.getpid():
            continue
        if owner.isdigit() and int(owner) != os.getpid() and psutil.pid_exists(int(owner)):
            raise PipelineError(f"{run.folder}: process {owner} is running it; wait for it to end or stop it")
        process.kill()
        process.wait(10)


def _set_environment(run: Run) -> None:
    """What the commands of the stages inherit: their own folder on the path, and who started them."""
    os.environ[_OWNER] = f"{os.getpid()}:{run.folder}"
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    os.environ["PYTHONUNBUFFERED"] = "1"
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # thirty processes would each compile all they import: a minute
    if run.recipe.settings.get("offline"):
        os.environ["HF_HUB_OFFLINE"] = "1"


def _write_facts(run: Run) -> None:
    facts = {
        "run": run.folder.name,
        "recipe": str(run.recipe.path),
        "packages": versions(run.recipe),
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "settings": run.recipe.settings,
    }
    (run.folder / "metadata.json").write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _reasons(run: Run, entry: object) -> Iterator[str]:
    """'base_model/idf.json modified' and the like out of DVC's nested status; manifests follow their outputs."""
    if not isinstance(entry, dict):
        yield str(entry)
        return
    for kind, what in entry.items():
        for name, state in what.items() if isinstance(what, dict) else [(kind, what)]:
            path = str(name).removeprefix(f"{run.folder.name}/")
            if not path.endswith(".manifest.json"):
                yield f"{path} {state if isinstance(state, str) else 'changed'}"


def _shortened(reasons: list[str]) -> str:
    """The first reasons, and how many more there are."""
    rest = len(reasons) - _SHOWN
    return "; ".join(reasons[:_SHOWN]) + (f"; and {rest} more" if rest > 0 else "")
