"""`training_history.json`: what a training run was like, with no times in it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from sparse_encoder._files import InputError, check_version, read_json

VERSION = 1


def history_text(entries: Sequence[Mapping[str, float]]) -> str:
    """The file's text, entries in order of steps.

    >>> history_text([{"step": 20, "loss": 0.5}])[:41]
    '{\\n  "format": "training_history",\\n  "vers'
    """
    return json.dumps({"format": "training_history", "version": VERSION, "entries": list(entries)}, indent=2) + "\n"


class _History(msgspec.Struct, frozen=True, kw_only=True):
    format: Literal["training_history"]
    version: int
    entries: list[dict[str, float]]


def read_history(path: Path) -> list[dict[str, float]]:
    """The entries of a file, in order; InputError where it is no training history or a newer one."""
    found = read_json(path, _History)
    check_version(path, found.format, found.version)
    for number, entry in enumerate(found.entries):
        if "step" not in entry:
            raise InputError(f"{path}: 'step' is missing in entries[{number}]; wanted the step that it tells of")
    return found.entries
