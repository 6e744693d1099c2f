"""`training_history.json`: what a training run was like, with no times in it."""

import json
from collections.abc import Mapping, Sequence

VERSION = 1


def history_text(entries: Sequence[Mapping[str, float]]) -> str:
    """The file's text, entries in order of steps.

    >>> history_text([{"step": 20, "loss": 0.5}])[:41]
    '{\\n  "format": "training_history",\\n  "vers'
    """
    return json.dumps({"format": "training_history", "version": VERSION, "entries": list(entries)}, indent=2) + "\n"
