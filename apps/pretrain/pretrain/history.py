"""Versions of a run: what its outputs were after each complete run, and how to bring them back.

A version is a copy of `dvc.lock`, which names every output by its hash; the outputs themselves are in DVC's cache.
"""

import json
import shutil
from pathlib import Path

from pretrain.errors import PipelineError
from pretrain.recipe import nearest
from pretrain.runs import Run

_KEPT = ("dvc.lock", "dvc.yaml", "recipe.yaml", "metadata.json", "progress.json")


def keep_version(run: Run) -> str:
    """Keeps the run's present state as a version, unless it equals the last one; returns the version's name."""
    versions = _versions(run)
    lock = (run.folder / "dvc.lock").read_bytes()
    if versions and (versions[-1] / "dvc.lock").read_bytes() == lock:
        return versions[-1].name
    name = f"{len(versions) + 1:04}"
    part = run.folder / "history" / f".{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for kept in _kept(run.folder):
        shutil.copy2(kept, part / kept.name)
    part.rename(part.with_name(name))
    return name


def restore_version(run: Run, version: str) -> None:
    """Puts back the outputs, settings and lock of an earlier version."""
    from pretrain.repository import check_out, opened

    names = [path.name for path in _versions(run)]
    if version not in names:
        raise PipelineError(f"{run.folder.name}: no version {version!r}{nearest(version, names or ['none yet'])}")
    kept = run.folder / "history" / version
    for file in _kept(kept):
        shutil.copy2(file, run.folder / file.name)
    with opened(run.folder) as repo:
        check_out(repo, run.folder)
    print(f"restored version {version} of {run.folder.name}")


def print_versions(run: Run) -> None:
    """Prints the versions of a run, oldest first, and how to restore one."""
    for path in _versions(run):
        progress = json.loads((path / "progress.json").read_text(encoding="utf-8"))
        print(f"{path.name}  {progress['started']}  {progress['recipe']}")
    print(f"restore one: uv run apps/pretrain restore VERSION --run {run.folder.name}")


def _kept(folder: Path) -> list[Path]:
    """The files of a run's folder, or of a version's, that make up a version."""
    return sorted(p for p in (*(folder / name for name in _KEPT), *folder.glob("*.config.yaml")) if p.is_file())


def _versions(run: Run) -> list[Path]:
    return sorted(p for p in (run.folder / "history").glob("[0-9]*") if p.is_dir())
