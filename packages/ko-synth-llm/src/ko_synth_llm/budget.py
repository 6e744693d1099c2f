"""What a run may spend, what it has spent, and what it would: requests, tokens and money.

Prices come from the user's own table; none are built in, since they change.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from ._files import InputError
from .asking import Request
from .outcomes import Usage


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model costs, in any one currency."""

    prompt: float = 0.0
    """Per million tokens of prompt."""
    completion: float = 0.0
    """Per million tokens of completion."""

    def of(self, usage: Usage) -> float:
        """
        >>> Price(prompt=2.0, completion=10.0).of(Usage(prompt_tokens=500_000, completion_tokens=100_000))
        2.0
        """
        return (self.prompt * usage.prompt_tokens + self.completion * usage.completion_tokens) / 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits of one run; what the cache holds costs nothing. 0 is no limit."""

    max_requests: int = 0
    max_tokens: int = 0
    """Prompt and completion together."""
    max_cost: float = 0.0
    price: Price = Price()


class Spending:
    """What a run has spent; requests already sent when a limit is reached are let finish."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.n_requests = 0
        self.usage = Usage()

    def add(self, usage: Usage) -> None:
        self.usage = plus(self.usage, usage)

    def limit_reached(self) -> str:
        """The limit that keeps another request from being sent; empty if none does."""
        budget = self.budget
        if budget.max_requests and self.n_requests >= budget.max_requests:
            return f"--max-requests {budget.max_requests}"
        if budget.max_tokens and self.usage.prompt_tokens + self.usage.completion_tokens >= budget.max_tokens:
            return f"--max-tokens {budget.max_tokens}"
        if budget.max_cost and budget.price.of(self.usage) >= budget.max_cost:
            return f"--max-cost {budget.max_cost:g}"
        return ""


def money(amount: float) -> str:
    """An amount in as many digits as say something.

    >>> money(12.3456), money(0.00123456), money(0)
    ('12.35', '0.0012', '0.00')
    """
    return f"{amount:.2f}" if amount >= 1 or not amount else f"{amount:.4f}"


def plus(one: Usage, other: Usage) -> Usage:
    """The sum of two usages."""
    return Usage(
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
    )


def read_price(path: Path, model: str) -> Price:
    """The price of a model in a TOML table: `["model name"]`, then `prompt` and `completion` per million tokens."""
    try:
        prices = msgspec.toml.decode(path.read_bytes(), type=dict[str, Price])
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except msgspec.MsgspecError as error:
        raise InputError(f"{path}: is not a table of prices: {error}") from error
    if model not in prices:
        raise InputError(f"{path}: has no price for {model!r}; it has {', '.join(prices) or 'none'}")
    return prices[model]


def estimated_tokens(text: str) -> int:
    """About how many tokens a text is: a Hangul syllable or other wide character .7, four others one.

    An estimate for dry runs and rate limits; tokenizers differ by a quarter either way.

    >>> estimated_tokens("검색 엔진 search engine")
    7
    """
    n_wide = sum(character > "\u2e7f" for character in text)
    return round(0.7 * n_wide + 0.25 * (len(text) - n_wide))


def estimated_usage(request: Request) -> Usage:
    """About what a request takes; the completion is taken to fill half of its limit."""
    n_prompt = sum(estimated_tokens(message.content) + 4 for message in request.conversation.messages)
    return Usage(prompt_tokens=n_prompt, completion_tokens=request.sampling.max_tokens // 2)
