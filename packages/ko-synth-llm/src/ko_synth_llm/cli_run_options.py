"""The options of `run`, in groups, and what each group makes of what was given.

In a module of their own, so that the command can be read.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from ._files import InputError
from .asking import Asking
from .backend_choice import Connection
from .budget import Budget, Price, read_price
from .cli_options import Ask, Rejects, asked_items
from .engine import Engine
from .settings import changed
from .tasks import THINKING, load_task, with_sampling


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The model, and how it is reached."""

    backend: Annotated[str, typer.Option(help="recorded:FILE, openai, vllm or transformers.")]
    model: Annotated[str, typer.Option(help="The model's name.")] = ""
    base_url: Annotated[str, typer.Option(envvar="OPENAI_BASE_URL", help="Of an OpenAI-compatible server.")] = (
        "https://api.openai.com/v1"
    )
    engine: Annotated[
        list[str], typer.Option(metavar="NAME=VALUE", help="How vllm and transformers load: quantization=fp8")
    ] = field(default_factory=list)
    concurrency: Annotated[int, typer.Option(min=1, help="Requests at once.")] = 64
    timeout_s: Annotated[float, typer.Option("--timeout", help="Seconds for one request.")] = 120.0
    max_retries: Annotated[int, typer.Option(min=0, help="Repeats of a request that fails.")] = 6
    requests_per_minute: Annotated[float, typer.Option(min=0, help="0: no limit.")] = 0.0
    tokens_per_minute: Annotated[float, typer.Option(min=0, help="0: no limit.")] = 0.0

    def connection(self) -> Connection:
        return Connection(
            model=self.model,
            base_url=self.base_url,
            concurrency=self.concurrency,
            timeout_s=self.timeout_s,
            max_retries=self.max_retries,
            requests_per_minute=self.requests_per_minute,
            tokens_per_minute=self.tokens_per_minute,
            engine=changed(Engine(), self.engine, option="--engine"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked, and which answers are taken."""

    sampling: Annotated[list[str], typer.Option(metavar="NAME=VALUE", help="Overrides the task's: max_tokens=4096")] = (
        field(default_factory=list)
    )
    thinking: Annotated[
        str, typer.Option(metavar="on|off|N", help="N: at most so many tokens. By default the model's own way.")
    ] = ""
    ask: Ask = field(default_factory=list)
    max_asks: Annotated[int, typer.Option(min=1, help="Times to ask until a reply is valid.")] = 3
    keep_reasoning: Annotated[bool, typer.Option("--keep-reasoning", help="Keep the model's thinking.")] = False
    strict: Annotated[bool, typer.Option("--strict", help="Fail, without output, if any record is rejected.")] = False

    def asking(self, task: str) -> Asking:
        if self.thinking and not re.fullmatch(THINKING, self.thinking):
            raise InputError(f"--thinking {self.thinking}: wanted on, off or a number of tokens from 1")
        settings = [*self.sampling, f"thinking={self.thinking}"] if self.thinking else self.sampling
        return Asking(with_sampling(load_task(task), settings), asked=asked_items(self.ask))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept beside the answers."""

    cache: Annotated[Path | None, typer.Option(help="SQLite file of answers, kept for other runs.")] = None
    work: Annotated[Path | None, typer.Option(help="Partial work; by default .NAME.work/ beside the output.")] = None
    rejected: Rejects = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What it may cost."""

    max_requests: Annotated[int, typer.Option(min=0, help="Stop there; 0: no limit.")] = 0
    max_tokens: Annotated[int, typer.Option(min=0, help="Stop there, prompts included; 0: no limit.")] = 0
    max_cost: Annotated[float, typer.Option(min=0, help="Stop there; needs --prices. 0: no limit.")] = 0.0
    prices: Annotated[
        Path | None, typer.Option(help='TOML: ["model"] prompt = 1.0, completion = 4.0 (per million)')
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count requests and tokens, and send none.")] = False

    def budget(self, model: str) -> Budget:
        """InputError where a limit needs a table of prices and there is none, or it lacks the model."""
        if self.max_cost and self.prices is None:
            raise InputError("--max-cost needs --prices, a table of what the model costs")
        price = Price() if self.prices is None else read_price(self.prices, model)
        return Budget(max_requests=self.max_requests, max_tokens=self.max_tokens, max_cost=self.max_cost, price=price)
