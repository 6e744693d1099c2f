"""What a step that came to no number was made of, written down for inspection."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from sparse_encoder._files import write_json
from sparse_encoder.groups import Batch
from sparse_encoder.objective import pairs_of_step
from sparse_encoder.updates import Measured, Updates
from sparse_encoder.vocabulary import Vocabulary

LOWER = "lower 'learning_rate' or give 'precision: fp32'"
"""What may help where a step comes to no number."""


def write_failed_batch(path: Path, drawn: Sequence[Batch], measured: Measured, updates: Updates, *, step: int) -> None:
    """Writes JSON: the losses, the tensors that are no numbers, and every text, groups with their file and line.

    step: from 1.
    """
    data, vocabulary = updates.material.train, updates.material.vocabulary
    report = {
        **failure(step, measured.by_name, gradient_norm=measured.gradient_norm, tensors=updates.tensors()),
        "groups": [
            {
                "file": str(data.files[example.file]) if data.files else "",
                "line": example.line,
                "query": [vocabulary.tokens[t] for t in example.query],
                "documents": [_text(data.documents[batch.documents[place]], vocabulary) for place in group],
                "scores": [example.scores.get(batch.documents[place]) for place in group],
            }
            for batch in drawn
            for example, group in zip(batch.examples, batch.groups, strict=True)
        ],
        "pairs": _pairs(updates, first=(step - 1) * updates.recipe.accumulate, n_batches=len(drawn)),
    }
    write_json(path, report)


def write_failed_texts(
    path: Path, texts: Sequence[Sequence[int]], vocabulary: Vocabulary, *, header: Mapping[str, object]
) -> None:
    """Writes the same of a step of pretraining, whose texts are token ids."""
    write_json(path, {**header, "texts": [_text(text, vocabulary) for text in texts]})


def failure(
    step: int, losses: Mapping[str, float], *, gradient_norm: float, tensors: Mapping[str, Tensor]
) -> dict[str, object]:
    """What a report begins with; step: from 1."""
    return {
        "step": step,
        "losses": {name: _told(value) for name, value in losses.items()},
        "gradient_norm": _told(gradient_norm),
        "weights_that_are_no_numbers": no_numbers(tensors),
    }


def reason(step: int, losses: Mapping[str, float], *, loss: float, gradient_norm: float, path: Path) -> str:
    """Why a run stops at a step, from 1, whose loss or else whose gradient is no number; `path` holds its batch."""
    what = (
        f"a gradient at step {step} is {gradient_norm}" if math.isfinite(loss) else f"the loss at step {step} is {loss}"
    )
    return f"{what}: {dict(losses)}; its batch is in {path}; {LOWER}"


def no_numbers(tensors: Mapping[str, Tensor]) -> list[str]:
    """Names of the tensors that hold a NaN or an infinity."""
    return [name for name, tensor in tensors.items() if not bool(tensor.isfinite().all())]


def _pairs(updates: Updates, *, first: int, n_batches: int) -> list[dict[str, object]]:
    """The terms and the parallel sentences that the batches' alignment was made of."""
    terms, vocabulary = updates.material.terms, updates.material.vocabulary
    if terms is None:
        return []
    return [
        {
            "ko": _text(terms.korean[i], vocabulary),
            "en": _text(terms.english[i], vocabulary),
            "weight": terms.weights[i],
        }
        for number in range(first, first + n_batches)
        for i in pairs_of_step(terms, updates.recipe, number=number)
    ]


def _text(tokens: Sequence[int], vocabulary: Vocabulary) -> str:
    text: str = vocabulary.tokenizer.decode(list(tokens), skip_special_tokens=True)
    return text


def _told(value: float) -> float | str:
    """JSON has no NaN and no infinity."""
    return value if math.isfinite(value) else str(value)
