"""What made a model, told from the manifest beside it, and from the one of the model that it was made from.

A shrunk model is reproduced by its training, so the manifest of the training goes on inside its own.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import yaml

from sparse_encoder._files import manifest_path, read_json
from sparse_encoder.recipe import Recipe


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What a command read."""

    path: str
    sha256: str


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest, as far as another run needs it."""

    package: str
    package_version: str
    command: list[str]
    parameters: dict[str, object] = {}
    """`made_from` holds the origin of the model that this one was made from."""
    seed: int | None = None
    inputs: list[Input] = []
    outputs: list[dict[str, object]]


def read_origin(model: Path) -> Origin | None:
    """What the manifest beside a model folder tells, folders of this machine left out; None where there is none."""
    manifest = manifest_path(model)
    if not manifest.is_file():
        return None
    return msgspec.convert(_portable(msgspec.to_builtins(read_json(manifest, Origin))), Origin)


def _portable(value: object) -> object:
    """The value with names for absolute paths: elsewhere their hashes tell what they were."""
    if isinstance(value, dict):
        return {name: _portable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_portable(inner) for inner in value]
    return Path(value).name if isinstance(value, str) and value.startswith("/") else value


def told(origin: Origin) -> str:
    """The origin in Markdown: command, version, seed, the recipe, hashes of what was read, and where that came from."""
    seed = f", seed {origin.seed}" if origin.seed is not None else ""
    parts = [f"`{' '.join(origin.command)}` (version {origin.package_version}{seed})"]
    recipe = origin.parameters.get("recipe")
    if isinstance(recipe, dict):
        settings = yaml.safe_dump(_unlike_defaults(recipe), allow_unicode=True, sort_keys=False, width=100)
        parts.append(f"with this recipe, defaults left out:\n\n```yaml\n{settings}```")
    if origin.inputs:
        parts.append("of\n\n" + "\n".join(f"- `{i.path}` sha256 `{i.sha256}`" for i in origin.inputs))
    before = origin.parameters.get("made_from")
    if isinstance(before, dict):
        parts.append("which was made by\n\n" + told(msgspec.convert(before, Origin)))
    return "\n\n".join(parts)


def _unlike_defaults(recipe: Mapping[str, object]) -> dict[str, object]:
    defaults: dict[str, object] = msgspec.to_builtins(Recipe(train=[]))
    return _unlike(recipe, defaults)


def _unlike(found: Mapping[str, object], defaults: Mapping[str, object]) -> dict[str, object]:
    kept: dict[str, object] = {}
    for name, value in found.items():
        default = defaults.get(name)
        if isinstance(value, dict) and isinstance(default, dict):
            if inner := _unlike(value, default):
                kept[name] = inner
        elif value != default:
            kept[name] = value
    return kept
