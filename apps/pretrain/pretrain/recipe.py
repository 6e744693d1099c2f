"""Recipes: YAML files that change the settings and the stages of `pipeline.yaml`, which names every one of them.

Keys are checked against those that exist, so that a misspelt one is named instead of ignored.
"""

import difflib
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from pretrain.errors import PipelineError

PIPELINE = Path(__file__).parent / "pipeline.yaml"
DATASETS = Path(os.environ.get("KO_SPARSE_DATASETS", Path(__file__).parents[3] / "datasets")).resolve()
"""Where runs live; the environment variable KO_SPARSE_DATASETS moves it."""

Setting = str | int | float | bool | None | list["Setting"] | dict[str, "Setting"]

_REQUIRED = {
    "documents": "files or folders of JSON Lines, a document a line: docs/formats/documents.md",
    "evaluation": "a BEIR folder with queries.jsonl and qrels/: docs/formats/queries.md",
}
_STAGE_KEYS = {"step", "about", "run", "needs", "makes", "manifests", "config", "after"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of the pipeline: commands of one or more packages, what they read and what they make."""

    name: str
    step: int
    about: str
    commands: tuple[str, ...]
    needs: tuple[str, ...]
    makes: tuple[str, ...]
    manifests: tuple[str, ...]
    config: Mapping[str, Setting] | None
    """Written to `<stage>.config.yaml` before the stage runs; `${config}` in a command is its path."""

    @property
    def packages(self) -> tuple[str, ...]:
        """The command lines that the stage calls, in order, each once."""
        return tuple(dict.fromkeys(command.split()[0] for command in self.commands))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A pipeline with every setting decided."""

    name: str
    path: Path
    settings: Mapping[str, Setting]
    stages: tuple[Stage, ...]
    """In the order in which they run: a stage stands after those that make what it needs."""

    def refuse_missing(self) -> None:
        """Raises PipelineError where a setting without which nothing can run is not given."""
        for key, wanted in _REQUIRED.items():
            if not self.settings.get(key):
                raise PipelineError(f"{self.path}: {key!r} is not given; wanted {wanted}")

    def stage(self, name: str) -> Stage:
        """The stage of that name; PipelineError with the nearest one if there is none."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise PipelineError(f"no stage {name!r}{nearest(name, [s.name for s in self.stages])}")


def read_recipe(path: Path) -> Recipe:
    """Reads a recipe over the defaults of `pipeline.yaml`; its paths are relative to its own folder."""
    defaults = _read_yaml(PIPELINE)
    defaults["settings"]["name"] = path.stem
    own = _read_yaml(path)
    changes = own.pop("stages", None) or {}
    settings, stages = _choose_defaults(defaults, own, where=str(path))
    settings = _merge(settings, own, where=str(path))
    for key in settings.pop("paths"):
        settings = _locate(settings, key.split("."), path.parent)
    settings = {key: _fill_tree(value, _flat(settings), str(path)) for key, value in settings.items()}
    specs = _change_stages(stages, changes, where=str(path))
    built = tuple(_build(name, spec, settings, where=str(path)) for name, spec in specs.items())
    _check_order(built, path)
    return Recipe(name=path.stem, path=path, settings=settings, stages=built)


def nearest(name: str, names: list[str]) -> str:
    """A clause that names the nearest valid choice, or all of them where none is near."""
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(sorted(names))}"


def _read_yaml(path: Path) -> dict[str, dict]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        shipped = ", ".join(sorted(p.stem for p in (PIPELINE.parents[1] / "recipes").glob("*.yaml")))
        raise PipelineError(f"{path}: no such recipe; shipped with this project: {shipped}") from error
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise PipelineError(f"{path}: cannot be read as YAML: {error}") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise PipelineError(f"{path}: found {type(found).__name__}, wanted a mapping of settings")
    return found


def _choose_defaults(defaults: dict, own: dict, *, where: str) -> tuple[dict, dict]:
    """Default settings and stages, as those that stand under `given:` change them where a setting has a value."""
    settings, stages = defaults["settings"], defaults["stages"]
    for key, change in defaults.get("given", {}).items():
        if _flat(_merge(settings, own, where=where)).get(key):
            changed = {
                "settings": _merge(settings, change.get("settings", {}), where=str(PIPELINE)),
                "stages": _change_stages(stages, change.get("stages", {}), where=str(PIPELINE)),
                "given": change.get("given", {}),
            }
            settings, stages = _choose_defaults(changed, own, where=where)
    return settings, stages


def _merge(defaults: dict, own: dict, *, where: str, prefix: str = "") -> dict:
    """`own` over `defaults`, depth first; a key that the defaults lack is an error."""
    merged = dict(defaults)
    for key, value in own.items():
        if key not in defaults:
            choices = [*defaults, "stages"] if not prefix else list(defaults)
            raise PipelineError(f"{where}: unknown key {prefix + str(key)!r}{nearest(str(key), choices)}")
        if isinstance(defaults[key], dict) and defaults[key]:
            if not isinstance(value, dict):
                raise PipelineError(f"{where}: {prefix + key!r} is {value!r}, wanted a mapping")
            value = _merge(defaults[key], value, where=where, prefix=f"{prefix}{key}.")
        elif isinstance(defaults[key], int | float) and not isinstance(value, int | float):
            hint = " (YAML takes 3e-3 for text: write 3.0e-3)" if isinstance(value, str) and "e" in value else ""
            raise PipelineError(f"{where}: {prefix + key!r} is {value!r}, wanted such as {defaults[key]!r}{hint}")
        merged[key] = value
    return merged


def _change_stages(stages: dict, changes: dict, *, where: str) -> dict:
    """Drops stages set to null, changes those of a known name, adds others after the stage they name in `after`."""
    result = dict(stages)
    for name, change in changes.items():
        if change is None:
            if name not in result:
                raise PipelineError(f"{where}: cannot drop stage {name!r}{nearest(name, list(result))}")
            del result[name]
            continue
        for key in change:
            if key not in _STAGE_KEYS:
                raise PipelineError(f"{where}: unknown key 'stages.{name}.{key}'{nearest(key, sorted(_STAGE_KEYS))}")
        if name in result:
            result[name] = {**result[name], **change}
        elif "run" not in change or "makes" not in change:
            raise PipelineError(f"{where}: stage {name!r} is new: it wants 'run' and 'makes'")
        else:
            result = _insert(result, name, change, where=where)
    return result


def _insert(stages: dict, name: str, spec: dict, *, where: str) -> dict:
    after = spec.get("after", next(reversed(stages), ""))
    if after not in stages:
        raise PipelineError(f"{where}: stage {name!r} comes after {after!r}{nearest(after, list(stages))}")
    order = list(stages)
    order.insert(order.index(after) + 1, name)
    return {key: spec if key == name else stages[key] for key in order}


def _build(name: str, spec: dict, settings: Mapping[str, Setting], *, where: str) -> Stage:
    lookup = {**_flat(settings), "config": f"{name}.config.yaml", "work": f".work/{name}", "cache": ".cache"}
    runs = [spec["run"]] if isinstance(spec["run"], str) else spec["run"]
    makes = _texts(spec["makes"], lookup, where)
    config = spec.get("config")
    return Stage(
        name=name,
        step=spec.get("step", 0),
        about=spec.get("about", ""),
        commands=tuple(" ".join(_fill(run, lookup, where, quote=True).split()) for run in runs),
        needs=(*_texts(spec.get("needs", []), lookup, where), *([str(lookup["config"])] if config else [])),
        makes=makes,
        manifests=tuple(f"{m}.manifest.json" for m in _texts(spec.get("manifests", makes[:1]), lookup, where)),
        config=_fill_tree(config, lookup, where) if config else None,
    )


def _texts(values: list[str], lookup: Mapping[str, Setting], where: str) -> tuple[str, ...]:
    """Fills each value; a value that is one reference to a list becomes as many values."""
    filled: list[str] = []
    for value in values:
        found = _fill_tree(value, lookup, where)
        filled += [str(f) for f in found] if isinstance(found, list) else [str(found)]
    return tuple(path for path in filled if path)


def _fill_tree(value: Setting, lookup: Mapping[str, Setting], where: str) -> Setting:
    """Fills references in every string; a string that is nothing but a reference keeps the setting's type."""
    if isinstance(value, dict):
        return {key: _fill_tree(v, lookup, where) for key, v in value.items()}
    if isinstance(value, list):
        return [_fill_tree(v, lookup, where) for v in value]
    if isinstance(value, str) and (whole := re.fullmatch(r"\$\{([\w.]+)\}", value)):
        return _look_up(whole[1], lookup, where)
    return _fill(value, lookup, where, quote=False) if isinstance(value, str) else value


def _fill(text: str, lookup: Mapping[str, Setting], where: str, *, quote: bool) -> str:
    def fill(match: re.Match[str]) -> str:
        found = _look_up(match[1], lookup, where)
        values = found if isinstance(found, list) else [found]
        return " ".join(shlex.quote(str(v)) if quote else str(v) for v in values)

    return re.sub(r"\$\{([\w.]+)\}", fill, text)


def _look_up(key: str, lookup: Mapping[str, Setting], where: str) -> Setting:
    if key not in lookup:
        raise PipelineError(f"{where}: '${{{key}}}' refers to no setting{nearest(key, list(lookup))}")
    return lookup[key]


def _flat(settings: Mapping[str, Setting], prefix: str = "") -> dict[str, Setting]:
    flat: dict[str, Setting] = {}
    for key, value in settings.items():
        flat[prefix + key] = value
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
    return flat


def _locate(settings: dict, keys: list[str], folder: Path) -> dict:
    """The settings with the path under `keys` as seen from a run's folder."""
    key, *inner = keys
    value = _locate(settings[key], inner, folder) if inner else _from_run(settings[key], folder)
    return {**settings, key: value}


def _from_run(value: Setting, folder: Path) -> Setting:
    """A path of the recipe as seen from a run's folder, so that a moved checkout runs nothing again."""
    if isinstance(value, list):
        return [_from_run(v, folder) for v in value]
    return os.path.relpath((folder / str(value)).resolve(), DATASETS / "run") if value else value


def _check_order(stages: tuple[Stage, ...], path: Path) -> None:
    """A stage that needs what a later one makes, or two that make the same file, are mistakes of the recipe."""
    maker = {made: stage.name for stage in stages for made in stage.makes}
    done: set[str] = set()
    for stage in stages:
        for made in stage.makes:
            if maker[made] != stage.name:
                raise PipelineError(f"{path}: stages {stage.name!r} and {maker[made]!r} both make {made}")
        for need in stage.needs:
            if need in maker and maker[need] not in done:
                raise PipelineError(f"{path}: stage {stage.name!r} needs {need}, which {maker[need]!r} makes later")
        done.add(stage.name)
