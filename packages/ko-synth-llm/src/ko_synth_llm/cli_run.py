"""The command `run`: a task over a file with a backend, to a file of answers and one of rejects.

Results appear whole or not at all; until then every valid answer lies in the cache, so that a killed run goes on.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from ._files import InputError, Manifest, Output, claim_work, clear_work, whole
from ._options import grouped
from .asking import Asking
from .backend_choice import named, open_backend, recording_of
from .backends import Backend, RecordedBackend
from .batch import BudgetReachedError, Options, run
from .cache import Cache
from .cli_options import Input, OutputPath, TaskName, check_places, version
from .cli_run_options import Kept, Limits, Model, Wanted
from .forecast import forecast
from .ids import check_file
from .outcomes import Rejected, Result
from .progress import Progress
from .records import corpus_of, read_records


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the side log: what may differ from run to run."""

    id: str
    outcome: str
    """`answered`, or the reason of the reject."""
    cached: bool
    n_requests: int
    latency_s: float
    prompt_tokens: int
    completion_tokens: int
    at: str
    """When it was written, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a run writes."""

    output: Path
    rejected: Path
    log: Path
    cache: Path | None
    work: Path
    strict: bool

    @property
    def own_answers(self) -> Path:
        """The cache that is gone when the run is done."""
        return self.work / "answers.sqlite"

    @property
    def answers(self) -> Path:
        """The cache: the user's, or the run's own."""
        return self.cache or self.own_answers

    def drop_empty(self) -> None:
        """Removes the log and the work folder of a run that got no answer at all."""
        if self.log.is_file() and not self.log.stat().st_size:
            self.log.unlink()
        if self.own_answers.is_file():
            with Cache(self.own_answers) as answers:
                is_empty = answers.is_empty()
            if not is_empty:
                return
        clear_work(self.work)

    @classmethod
    def of(cls, output: Path, kept: Kept, *, strict: bool) -> "Places":
        """The places that go with an output, where the user named no others."""
        return cls(
            output=output,
            rejected=kept.rejected or output.with_name(f"{output.stem}.rejected.jsonl"),
            log=output.with_name(f"{output.stem}.log.jsonl"),
            cache=kept.cache,
            work=kept.work or output.with_name(f".{output.name}.work"),
            strict=strict,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a run asks of whom."""

    asking: Asking
    source: Path
    n_records: int
    """0 where it is not known."""
    backend: Backend


@grouped
def run_command(
    task: TaskName, source: Input, output: OutputPath, model: Model, wanted: Wanted, kept: Kept, limits: Limits
) -> None:
    """Ask a model about every record of a file.

    Answers go to OUTPUT in the order of the input, rejects to NAME.rejected.jsonl with their reasons, times to
    NAME.log.jsonl. A run that was stopped or killed goes on when it is started again.
    """
    connection, asking = model.connection(), wanted.asking(task)
    asked_of = named(model.backend, connection)
    budget = limits.budget(asked_of.model)
    places = Places.of(output, kept, strict=wanted.strict)
    recording = recording_of(model.backend)
    check_places([corpus_of(source), recording], [places.output, places.rejected, places.log, places.answers])
    n_known = n_records(source, asking.task.file.record.id)
    if limits.dry_run:
        counts = forecast(asking, read_records(source), asked_of, cache_path=places.answers)
        print("\n".join(counts.lines(budget.price)))
        return
    options = Options(
        concurrency=model.concurrency,
        max_asks=wanted.max_asks,
        keeps_reasoning=wanted.keep_reasoning,
        budget=budget,
        ids_differ=n_known is not None,
    )
    backend = open_backend(model.backend, asking.task.name, connection)
    run_job(Job(asking=asking, source=source, n_records=n_known or 0, backend=backend), places, options=options)


def run_job(job: Job, places: Places, *, options: Options) -> None:
    """Runs, writes and leaves a manifest; the work folder goes when all is done."""
    started = time.time()
    task, backend = job.asking.task, job.backend
    progress = Progress(job.n_records * task.file.n_answers, price=options.budget.price)
    claim_work(places.work)
    try:
        with Cache(places.answers) as answers:
            if places.answers != places.own_answers and places.own_answers.is_file():
                answers.adopt(places.own_answers)  # of a run that stopped before it was given a cache
            asked, records = job.asking.asked, read_records(job.source)
            results = run(task, records, backend, cache=answers, asked=asked, options=options)
            counts, stopped = write_results(results, places, progress)
    except InputError:
        places.drop_empty()
        raise
    recording = backend.path if isinstance(backend, RecordedBackend) else None
    Manifest(
        package="ko-synth-llm",
        package_version=version(),
        parameters={
            "task": task.name,
            "task_version": task.version,
            "task_sha256": task.sha256,
            "model": backend.model,
            "revision": backend.revision,
            "sampling": task.file.sampling,
            "asked": job.asking.asked,
            "prompt_tokens": progress.usage.prompt_tokens,
            "completion_tokens": progress.usage.completion_tokens,
        },
        seed=task.file.sampling.seed,
        inputs=[job.source, recording] if recording else [job.source],
        outputs=[
            Output(path=places.output, format="records", n_records=counts["answered"]),
            Output(path=places.rejected, format="rejects", n_records=counts.total() - counts["answered"]),
        ],
        counts=counts,
        started=started,
    ).write()
    if stopped is not None:
        raise stopped
    clear_work(places.work)


def write_results(
    results: Iterator[Result], places: Places, progress: Progress
) -> tuple[Counter[str], BudgetReachedError | None]:
    """Writes answers, rejects and the side log; returns counts by reason and the limit that stopped the run."""
    counts: Counter[str] = Counter()
    stopped: BudgetReachedError | None = None
    failure: InputError | None = None
    places.log.parent.mkdir(parents=True, exist_ok=True)
    with whole(places.rejected) as rejected, rejected.open("wb") as rejects, places.log.open("ab") as log:
        try:
            with whole(places.output) as output, output.open("wb") as answers:
                try:
                    for result in results:
                        progress.add(result)
                        counts[_write(result, answers, rejects, log)] += 1
                except BudgetReachedError as error:
                    stopped = error
                progress.close()
                _complain(counts, places)
        except _TooManyRejectsError as error:
            failure = error
    if failure is not None:
        raise failure
    return counts, stopped


class _TooManyRejectsError(InputError):
    """Rejects that leave no output."""


def _write(result: Result, answers: IO[bytes], rejects: IO[bytes], log: IO[bytes]) -> str:
    outcome = result.outcome
    name = outcome.reason if isinstance(outcome, Rejected) else "answered"
    (rejects if isinstance(outcome, Rejected) else answers).write(msgspec.json.encode(outcome) + b"\n")
    call = Call(
        id=outcome.id,
        outcome=name,
        cached=result.cached,
        n_requests=result.n_requests,
        latency_s=round(result.latency_s, 4),
        prompt_tokens=result.usage.prompt_tokens,
        completion_tokens=result.usage.completion_tokens,
        at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )
    log.write(msgspec.json.encode(call) + b"\n")
    return name


def _complain(counts: Counter[str], places: Places) -> None:
    n_rejected = counts.total() - counts["answered"]
    if not n_rejected:
        return
    reasons = ", ".join(f"{name}: {n}" for name, n in sorted(counts.items()) if name != "answered")
    said = f"{n_rejected} of {counts.total()} records were rejected ({reasons}): see {places.rejected}"
    if places.strict or not counts["answered"]:
        raise _TooManyRejectsError(f"{said}; {places.output} was not written")
    print(f"warning: {said}", file=sys.stderr)


def n_records(source: Path, field: str) -> int | None:
    """How many records a file holds, all of which were found to be readable and to differ in their ids.

    None of what can be read but once, such as a pipe: its records are looked at as they come.
    """
    path = corpus_of(source)
    return None if path.exists() and not path.is_file() else check_file(path, field)
