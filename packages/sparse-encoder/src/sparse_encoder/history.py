"""`training_history.json`: what a training run was like, with no times in it."""

import json
from collections.abc import Mapping, Sequence

VERSION = 1


def history_text(entries: Sequence[Mapping[str, float]]) -> str:
    """The file's text: one entry a line, in order of steps.

    >>> print(history_text([{"step": 20, "loss": 0.5}]), end="")
    {
      "format": "training_history",
      "version": 1,
      "entries": [
        {"step": 20, "loss": 0.5}
      ]
    }
    """
    lines = ",\n    ".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    return f'{{\n  "format": "training_history",\n  "version": {VERSION},\n  "entries": [\n    {lines}\n  ]\n}}\n'
