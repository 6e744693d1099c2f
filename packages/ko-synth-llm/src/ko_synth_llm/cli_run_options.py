"""The options of `run`, which has many.

In a module of their own, so that the command can be read.
"""

from pathlib import Path
from typing import Annotated

import typer

BackendOption = Annotated[str, typer.Option("--backend", help="recorded:FILE, openai, vllm or transformers.")]
ModelOption = Annotated[str, typer.Option("--model", help="The model's name.")]
BaseUrlOption = Annotated[
    str, typer.Option("--base-url", envvar="OPENAI_BASE_URL", help="Of an OpenAI-compatible server.")
]
SamplingOption = Annotated[
    list[str], typer.Option("--sampling", metavar="NAME=VALUE", help="Overrides the task's: max_tokens=4096")
]
ThinkingOption = Annotated[
    str,
    typer.Option("--thinking", metavar="on|off|N", help="N: at most so many tokens. By default the model's own way."),
]
EngineOption = Annotated[
    list[str],
    typer.Option("--engine", metavar="NAME=VALUE", help="How vllm and transformers load: quantization=fp8"),
]
CacheOption = Annotated[Path | None, typer.Option("--cache", help="SQLite file of answers, kept for other runs.")]
WorkOption = Annotated[
    Path | None, typer.Option("--work", help="Partial work; by default .NAME.work/ beside the output.")
]
RejectedOption = Annotated[
    Path | None, typer.Option("--rejected", help="By default NAME.rejected.jsonl beside the output.")
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Fail, without output, if any record is rejected.")]
KeepReasoningOption = Annotated[bool, typer.Option("--keep-reasoning", help="Keep the model's thinking.")]
ConcurrencyOption = Annotated[int, typer.Option("--concurrency", min=1, help="Requests at once.")]
MaxAsksOption = Annotated[int, typer.Option("--max-asks", min=1, help="Times to ask until a reply is valid.")]
TimeoutSOption = Annotated[float, typer.Option("--timeout", help="Seconds for one request.")]
MaxRetriesOption = Annotated[int, typer.Option("--max-retries", min=0, help="Repeats of a request that fails.")]
RequestsPerMinuteOption = Annotated[float, typer.Option("--requests-per-minute", help="0: no limit.")]
TokensPerMinuteOption = Annotated[float, typer.Option("--tokens-per-minute", help="0: no limit.")]
MaxRequestsOption = Annotated[int, typer.Option("--max-requests", help="Stop there; 0: no limit.")]
MaxTokensOption = Annotated[int, typer.Option("--max-tokens", help="Stop there, prompts included; 0: no limit.")]
MaxCostOption = Annotated[float, typer.Option("--max-cost", help="Stop there; needs --prices. 0: no limit.")]
PricesOption = Annotated[
    Path | None, typer.Option("--prices", help='TOML: ["model"] prompt = 1.0, completion = 4.0 (per million)')
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Count requests and tokens, and send none.")]
