"""What a step that came to no number was made of, written down for inspection."""

import math
from collections.abc import Sequence
from pathlib import Path

from sparse_encoder._files import write_json
from sparse_encoder.groups import Batch
from sparse_encoder.updates import Measured, Updates


def write_failed_batch(path: Path, drawn: Sequence[Batch], measured: Measured, updates: Updates, *, step: int) -> None:
    """Writes JSON: the losses, the tensors that are no numbers, and each group with its file, line, query and texts."""
    data, vocabulary = updates.material.train, updates.material.vocabulary
    report = {
        "step": step,
        "losses": {name: _told(value) for name, value in measured.by_name.items()},
        "gradient_norm": _told(measured.gradient_norm),
        "weights_that_are_no_numbers": [
            name for name, tensor in updates.tensors().items() if not bool(tensor.isfinite().all())
        ],
        "groups": [
            {
                "file": str(data.files[example.file]) if data.files else "",
                "line": example.line,
                "query": [vocabulary.tokens[t] for t in example.query],
                "documents": [
                    vocabulary.tokenizer.decode(data.documents[batch.documents[place]], skip_special_tokens=True)
                    for place in group
                ],
                "scores": [example.scores.get(batch.documents[place]) for place in group],
            }
            for batch in drawn
            for example, group in zip(batch.examples, batch.groups, strict=True)
        ],
    }
    write_json(path, report)


def _told(value: float) -> float | str:
    """JSON has no NaN and no infinity."""
    return value if math.isfinite(value) else str(value)
