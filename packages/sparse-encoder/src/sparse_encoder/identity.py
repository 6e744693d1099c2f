"""What tells one run from another: its settings and the hashes of its files, each under its name.

A checkpoint keeps it, so that a run never goes on under other settings, and can say which of them are others.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from sparse_encoder._files import InputError, sha256

NAMED = 3
"""Differences that an error names."""
ABSENT = "unknown"


def run_identity(settings: msgspec.Struct, files: Mapping[str, Path]) -> str:
    """Settings and the sha256 of all files as JSON; InputError names the setting of a file that is not there.

    files: by the setting that names them, such as `train[0].path`; where they lie is no part of it.
    """
    found = dict(_flat(msgspec.to_builtins(settings), ""))
    for name, path in files.items():
        if not path.exists():
            raise InputError(f"{path}: no such file or folder; the recipe's {name!r} names it")
        found[name] = f"sha256 {sha256(path)}"
    return json.dumps(found, ensure_ascii=False, sort_keys=True)


def short(identity: str) -> str:
    """Sixteen hexadecimal digits for the name of a file.

    >>> short("{}")
    '44136fa355b3678a'
    """
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def difference(theirs: str, ours: str) -> str:
    """Which settings and files are others, for a person; nothing where `theirs` is not of this shape.

    >>> difference('{"steps": 3, "batch": 2}', '{"steps": 4, "batch": 2}')
    "'steps' is 3 there and 4 here"
    """
    try:
        one, other = (msgspec.json.decode(text, type=dict[str, object]) for text in (theirs, ours))
    except msgspec.DecodeError:
        return ""
    names = [n for n in sorted({*one, *other}) if one.get(n, ABSENT) != other.get(n, ABSENT)]
    told = [f"{n!r} is {_told(one.get(n, ABSENT))} there and {_told(other.get(n, ABSENT))} here" for n in names[:NAMED]]
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return ", ".join([*told, *more])


def _flat(value: object, name: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _flat(inner, f"{name}[{i}]")
    else:
        yield name, value


def _told(value: object) -> str:
    """A setting as it is; of a hash, enough to tell it from another."""
    if isinstance(value, str) and value.startswith("sha256 "):
        return f"a file of {value[:19]}"
    return "left out" if value == "" else str(value)
