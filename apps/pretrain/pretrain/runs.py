"""Runs: the folders under `datasets/` that recipes run in.

A run is found by its name; `clean` removes outputs but neither the history of the run nor the cache.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from pretrain.errors import PipelineError
from pretrain.lock import forget
from pretrain.recipe import DATASETS, Recipe, nearest, read_recipe

APP = Path(__file__).parents[1]
DEFAULT_RECIPE = APP / "recipes" / "mini.yaml"
_NOT_RUNS = {"sample", "models"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A recipe and the folder that it runs in."""

    recipe: Recipe
    folder: Path

    @classmethod
    def of(cls, recipe: Recipe, name: str = "") -> "Run":
        """The run of a recipe, in `datasets/<name>`; the recipe's own name if none is given."""
        name = name or recipe.name
        if name in _NOT_RUNS or "/" in name or name.startswith("."):
            raise PipelineError(
                f"{name!r} cannot name a run: wanted a plain folder name other than {sorted(_NOT_RUNS)}"
            )
        return cls(recipe=recipe, folder=DATASETS / name)

    def work(self, stage: str = "") -> Path:
        """Where a stage keeps checkpoints and other partial work, out of DVC's sight."""
        return self.folder / ".work" / stage if stage else self.folder / ".work"

    def removable(self, stage: str) -> list[Path]:
        """What `clean` removes: one stage's outputs and partial work, or those of all."""
        stages = [self.recipe.stage(stage)] if stage else list(self.recipe.stages)
        paths = [self.folder / made for s in stages for made in (*s.makes, *s.manifests)]
        paths += [self.work(stage)] if stage else [self.work(), *(self.folder / n for n in ("dvc.lock", "logs"))]
        return [path for path in paths if path.exists()]

    def remove(self, paths: list[Path], *, stage: str) -> None:
        """Removes `paths` and forgets that `stage` ran, so that it runs again."""
        for path in paths:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        if stage:
            forget(self.folder, stage)


def open_run(name: str) -> Run:
    """The run of that name, with the recipe it was last started with."""
    facts = read_facts(DATASETS / name)
    if not facts:
        raise PipelineError(f"no run {name!r}{nearest(name, [p.name for p in run_folders()] or ['none yet'])}")
    return Run(recipe=read_recipe(Path(str(facts["recipe"]))), folder=DATASETS / name)


def run_folders() -> list[Path]:
    """Folders of runs, newest first."""
    folders = [p.parent for p in DATASETS.glob("*/progress.json")]
    return sorted(folders, key=lambda p: (p / "progress.json").stat().st_mtime, reverse=True)


def read_facts(folder: Path) -> dict[str, object]:
    """A run's `metadata.json`; empty where there is none."""
    path = folder / "metadata.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def list_runs() -> str:
    """A table of the runs: name, state, recipe, start, versions kept."""
    rows = [f"{'run':16} {'state':8} {'recipe':12} {'started':20} versions"]
    for folder in run_folders():
        progress = json.loads((folder / "progress.json").read_text(encoding="utf-8"))
        n_versions = len(list((folder / "history").glob("*")))
        rows.append(
            f"{folder.name:16} {progress['state']:8} {progress['recipe']:12} {progress['started']:20} {n_versions}"
        )
    return "\n".join(rows) if len(rows) > 1 else "no runs yet: `uv run apps/pretrain` makes the first"
