"""The command `run`: a task over a file with a backend, to a file of answers and one of rejects.

Results appear whole or not at all; until then every valid answer lies in the cache, so that a killed run goes on.
"""

import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from ._files import InputError, Manifest, Output, whole
from .asking import Asking
from .backend_choice import Connection, named, open_backend
from .backends import Backend, RecordedBackend
from .batch import BudgetReachedError, Options, run
from .budget import Budget, Price, read_price
from .cache import Cache
from .cli_options import Ask, Input, OutputPath, TaskName, asked_items, version
from .cli_run_options import (
    BackendOption,
    BaseUrlOption,
    CacheOption,
    ConcurrencyOption,
    DryRunOption,
    EngineOption,
    KeepReasoningOption,
    MaxAsksOption,
    MaxCostOption,
    MaxRequestsOption,
    MaxRetriesOption,
    MaxTokensOption,
    ModelOption,
    PricesOption,
    RejectedOption,
    RequestsPerMinuteOption,
    SamplingOption,
    StrictOption,
    ThinkingOption,
    TimeoutSOption,
    TokensPerMinuteOption,
    WorkOption,
)
from .engine import Engine
from .forecast import forecast
from .ids import check_file
from .outcomes import Rejected, Result
from .progress import Progress
from .records import read_records
from .settings import changed
from .tasks import load_task, with_sampling


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

    @classmethod
    def of(
        cls, output: Path, *, rejected: Path | None, cache: Path | None, work: Path | None, strict: bool
    ) -> "Places":
        """The places that go with an output, where the user named no others."""
        return cls(
            output=output,
            rejected=rejected or output.with_name(f"{output.stem}.rejected.jsonl"),
            log=output.with_name(f"{output.stem}.log.jsonl"),
            cache=cache,
            work=work or output.with_name(f".{output.name}.work"),
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


def run_command(
    task: TaskName,
    source: Input,
    output: OutputPath,
    backend: BackendOption,
    model: ModelOption = "",
    base_url: BaseUrlOption = "https://api.openai.com/v1",
    sampling: SamplingOption = [],
    thinking: ThinkingOption = "",
    engine: EngineOption = [],
    ask: Ask = [],
    cache: CacheOption = None,
    work: WorkOption = None,
    rejected: RejectedOption = None,
    strict: StrictOption = False,
    keep_reasoning: KeepReasoningOption = False,
    concurrency: ConcurrencyOption = 64,
    max_asks: MaxAsksOption = 3,
    timeout_s: TimeoutSOption = 120.0,
    max_retries: MaxRetriesOption = 6,
    requests_per_minute: RequestsPerMinuteOption = 0.0,
    tokens_per_minute: TokensPerMinuteOption = 0.0,
    max_requests: MaxRequestsOption = 0,
    max_tokens: MaxTokensOption = 0,
    max_cost: MaxCostOption = 0.0,
    prices: PricesOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Ask a model about every record of a file.

    Answers go to OUTPUT in the order of the input, rejects to NAME.rejected.jsonl with their reasons, times to
    NAME.log.jsonl. A run that was stopped or killed goes on when it is started again.
    """
    connection = Connection(
        model=model,
        base_url=base_url,
        concurrency=concurrency,
        timeout_s=timeout_s,
        max_retries=max_retries,
        requests_per_minute=requests_per_minute,
        tokens_per_minute=tokens_per_minute,
        engine=changed(Engine(), engine, option="--engine"),
    )
    settings = [*sampling, f"thinking={thinking}"] if thinking else sampling
    asking = Asking(with_sampling(load_task(task), settings), asked=asked_items(ask))
    asked_of = named(backend, connection)
    price = price_of(asked_of.model, prices, max_cost=max_cost)
    n_known = n_records(source, asking.task.file.record.id)
    places = Places.of(output, rejected=rejected, cache=cache, work=work, strict=strict)
    if dry_run:
        print("\n".join(forecast(asking, read_records(source), asked_of, cache_path=places.answers).lines(price)))
        return
    opened = open_backend(backend, asking.task.name, connection)
    job = Job(asking=asking, source=source, n_records=n_known or 0, backend=opened)
    budget = Budget(max_requests=max_requests, max_tokens=max_tokens, max_cost=max_cost, price=price)
    options = Options(
        concurrency=concurrency,
        max_asks=max_asks,
        keeps_reasoning=keep_reasoning,
        budget=budget,
        ids_differ=n_known is not None,
    )
    run_job(job, places, options=options)


def price_of(model: str, prices: Path | None, *, max_cost: float) -> Price:
    """What a model costs by the user's table; InputError where a limit needs a table and there is none."""
    if max_cost and prices is None:
        raise InputError("--max-cost needs --prices, a table of what the model costs")
    return Price() if prices is None else read_price(prices, model)


def run_job(job: Job, places: Places, *, options: Options) -> None:
    """Runs, writes and leaves a manifest; the work folder goes when all is done."""
    started = time.time()
    task, backend = job.asking.task, job.backend
    progress = Progress(job.n_records * task.file.n_answers, price=options.budget.price)
    with Cache(places.answers) as answers:
        if places.answers != places.own_answers and places.own_answers.is_file():
            answers.adopt(places.own_answers)  # of a run that stopped before it was given a cache
        results = run(task, read_records(job.source), backend, cache=answers, asked=job.asking.asked, options=options)
        counts, stopped = write_results(results, places, progress)
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
    shutil.rmtree(places.work, ignore_errors=True)


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
    path = source / "corpus.jsonl" if source.is_dir() else source
    return None if path.exists() and not path.is_file() else check_file(path, field)
