"""A recipe as DVC sees it: `dvc.yaml`, the settings of each stage, and the one cache that all runs share.

DVC decides what runs; the versions of the packages are parameters of their stages, so a new release runs them again.
"""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml

from pretrain.errors import PipelineError
from pretrain.recipe import Recipe, Stage

DVC_CONFIG = """[core]
    no_scm = true
    analytics = false
    check_update = false
    autostage = false
"""


def write_graph(recipe: Recipe, run: Path) -> None:
    """Writes `recipe.yaml`, `dvc.yaml` and `<stage>.config.yaml` of a run, and `.dvc/` beside all runs."""
    try:
        run.mkdir(parents=True, exist_ok=True)
        (run.parent / ".dvc").mkdir(exist_ok=True)
        _write(run.parent / ".dvc" / "config", DVC_CONFIG)
        _write(run.parent / ".dvcignore", "")
        _write(
            run / "recipe.yaml",
            _dump({"recipe": recipe.name, "settings": recipe.settings, "packages": versions(recipe)}),
        )
        _write(run / "dvc.yaml", _dump({"stages": {stage.name: dvc_stage(stage) for stage in recipe.stages}}))
        for stage in recipe.stages:
            if stage.config is not None:
                _write(run / f"{stage.name}.config.yaml", _dump(stage.config))
    except OSError as error:
        raise PipelineError(f"{run}: cannot be written: {error.strerror or error}") from error


def dvc_stage(stage: Stage) -> dict[str, object]:
    """One stage in the shape of dvc.yaml; the order of its lists does not matter to DVC."""
    return {
        "desc": stage.about,
        "cmd": list(stage.commands) if len(stage.commands) > 1 else stage.commands[0],
        "deps": list(stage.needs),
        "params": [{"recipe.yaml": [f"packages.{name}" for name in stage.packages if installed(name)]}],
        "outs": [*stage.makes, *stage.manifests],
    }


def versions(recipe: Recipe) -> dict[str, str]:
    """The version of every package of ours that the recipe calls, sorted by name; a recipe may call other programs."""
    names = sorted({package for stage in recipe.stages for package in stage.packages})
    return {name: found for name in names if (found := installed(name))}


def installed(package: str) -> str:
    """The installed version of a package, "" where a command's name is not that of one."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _dump(value: object) -> str:
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=120)


def _write(path: Path, text: str) -> None:
    """Writes only what changed, whole or not at all."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
