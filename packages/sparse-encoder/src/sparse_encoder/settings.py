"""Settings in YAML, read strictly: a misspelt key is refused and the nearest valid one named."""

import difflib
import types
import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
import yaml

from sparse_encoder._files import InputError

Settings = TypeVar("Settings", bound=msgspec.Struct)


class SettingsError(InputError):
    """A setting that cannot be used: it says which, and `naming` in what file."""


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """While it is open, an error in a setting is told with the file that the setting is of."""
    try:
        yield
    except SettingsError as error:
        raise InputError(f"{path}: {error}") from error


def read_settings(path: Path, kind: type[Settings]) -> Settings:
    """Reads a YAML file as `kind`; InputError names an unknown key and the nearest valid one, or a wrong field."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"{path}: is not YAML: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: holds {type(found).__name__}; wanted a mapping of settings such as `train:`")
    _refuse_unknown(path, found, kind, "")
    try:
        return msgspec.convert(found, kind, strict=True)
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: {str(error).replace('`$.', '`')}") from error


def _refuse_unknown(path: Path, found: Mapping[str, object], kind: type[msgspec.Struct], where: str) -> None:
    fields = {f.encode_name: f.type for f in msgspec.structs.fields(kind)}
    for key, value in found.items():
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1, cutoff=0.5)
            hint = f"did you mean {where + near[0]!r}?" if near else f"valid keys: {', '.join(fields)}"
            raise InputError(f"{path}: unknown key {where + str(key)!r}; {hint}")
        for inner in _structs(fields[key]):
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    _refuse_unknown(path, item, inner, f"{where}{key}.")


def _structs(kind: object) -> list[type[msgspec.Struct]]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [kind]
    if isinstance(kind, types.GenericAlias | types.UnionType) or typing.get_origin(kind) is not None:
        return [s for part in typing.get_args(kind) for s in _structs(part)]
    return []
