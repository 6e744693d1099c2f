"""The command `convert`: answers of `paraphrase`, `documents` and `hard_negatives` as pairs and passages.

Passages are written as a BEIR folder, so that whatever reads a corpus reads these.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ._files import InputError, Manifest, Output, read_jsonl, whole
from .cli_options import Answers, OutputPath, check_places, version
from .generated import Written, documents, hard_negatives, paraphrased, read_groups, read_pairs
from .outcomes import Answered, Rejected
from .pairs import Pair
from .records import corpus_of

Outcome = Pair | Written | Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a conversion writes; None for what its task does not make."""

    pairs: Path | None
    passages: Path | None
    rejected: Path


def convert_command(
    answers: Answers,
    output: OutputPath,
    source: Annotated[Path, typer.Option("--source", help="What `run` asked about: pairs, or training groups.")],
    passages: Annotated[
        Path | None, typer.Option("--passages", help="Passages that the written corpus starts with.")
    ] = None,
) -> None:
    """Write generated rewordings as pairs (OUTPUT a file), generated passages as a corpus (OUTPUT a folder).

    Beside a corpus of `documents` lies pairs.jsonl. What is not fit is in the rejects with its reason.
    """
    started = time.time()
    task = _task(answers)
    outcomes = _outcomes(task, answers, source)
    places = _places(task, output)
    first = _corpus(passages) if passages is not None else None
    check_places([answers, source, first], [places.pairs, places.passages, places.rejected])
    counts = write_outcomes(outcomes, places, first=first)
    outputs = [Output(path=places.rejected, format="rejects", n_records=counts["rejected"])]
    if places.pairs is not None:
        outputs.insert(0, Output(path=places.pairs, format="pairs", n_records=counts["pairs"]))
    if places.passages is not None:
        outputs.insert(0, Output(path=places.passages.parent, format="passages", n_records=counts["passages"]))
    Manifest(
        package="ko-synth-llm",
        package_version=version(),
        parameters={"task": task},
        inputs=[path for path in (answers, source, passages) if path is not None],
        outputs=outputs,
        counts=counts,
        started=started,
    ).write()
    print(f"{counts['passages']} passages, {counts['pairs']} pairs, {counts['rejected']} rejected")


def write_outcomes(outcomes: Iterator[Outcome], places: Places, *, first: Path | None) -> Counter[str]:
    """Writes all files whole or none, the corpus after a copy of `first`; returns how many went where."""
    counts: Counter[str] = Counter({"passages": 0, "pairs": 0, "rejected": 0})
    encode = msgspec.json.Encoder().encode
    wanted = {"passages": places.passages, "pairs": places.pairs, "rejected": places.rejected}
    with ExitStack() as stack:
        files = {
            name: stack.enter_context(stack.enter_context(whole(path)).open("wb"))
            for name, path in wanted.items()
            if path is not None
        }
        if first is not None and "passages" in files:
            with first.open("rb") as lines:
                for line in lines:
                    files["passages"].write(line.rstrip(b"\n") + b"\n")
        for outcome in outcomes:
            for name, record in _parts(outcome):
                files[name].write(encode(record) + b"\n")
                counts[name] += 1
    return counts


def _parts(outcome: Outcome) -> list[tuple[str, object]]:
    if isinstance(outcome, Rejected):
        return [("rejected", outcome)]
    if isinstance(outcome, Pair):
        return [("pairs", outcome)]
    passage: list[tuple[str, object]] = [("passages", outcome.passage)]
    return passage if outcome.pair is None else [*passage, ("pairs", outcome.pair)]


def _outcomes(task: str, answers: Path, source: Path) -> Iterator[Outcome]:
    stream = read_jsonl(answers, Answered)
    if task == "paraphrase":
        return paraphrased(stream, read_pairs(source))
    if task == "documents":
        return documents(stream, read_pairs(source))
    return hard_negatives(stream, read_groups(source))


def _task(answers: Path) -> str:
    for answer in read_jsonl(answers, Answered):
        if answer.task not in {"paraphrase", "documents", "hard_negatives"}:
            hint = {"queries": "filter", "synonym_judge": "verdicts"}.get(answer.task)
            said = f": ko-synth-llm {hint} reads these" if hint else ""
            raise InputError(
                f"{answers}: holds answers of {answer.task!r}, wanted paraphrase, documents or hard_negatives{said}"
            )
        return answer.task
    raise InputError(f"{answers}: holds no answer")


def _places(task: str, output: Path) -> Places:
    if task == "paraphrase":
        return Places(pairs=output, passages=None, rejected=output.with_name(f"{output.stem}.rejected.jsonl"))
    pairs = output / "pairs.jsonl" if task == "documents" else None
    return Places(pairs=pairs, passages=output / "corpus.jsonl", rejected=output / "rejected.jsonl")


def _corpus(path: Path) -> Path:
    corpus = corpus_of(path)
    if not corpus.is_file():
        raise InputError(f"{corpus}: no such file")
    return corpus
