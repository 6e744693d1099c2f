"""Progress of a run on stderr: rate, tokens, cost, failures, time left.

On a terminal one line that is written over; elsewhere a line now and then.
"""

import sys
import time
from typing import TextIO

from .budget import Price, money, plus
from .outcomes import Rejected, Result, Usage

EVERY_S = 0.5
EVERY_S_IN_A_LOG = 30.0


class Progress:
    """Counts results and says how it goes."""

    def __init__(self, n_total: int, *, price: Price, stream: TextIO | None = None) -> None:
        """n_total: results expected; 0 if unknown."""
        self.n_total = n_total
        self.price = price
        self.stream = stream or sys.stderr
        self.n_done = self.n_rejected = self.n_cached = self.n_requests = 0
        self.usage = Usage()
        self._started = self._said = time.monotonic()
        self._overwrites = self.stream.isatty()

    def add(self, result: Result) -> None:
        self.n_done += 1
        self.n_rejected += isinstance(result.outcome, Rejected)
        self.n_cached += result.cached
        self.n_requests += result.n_requests
        self.usage = plus(self.usage, result.usage)
        now = time.monotonic()
        if now - self._said >= (EVERY_S if self._overwrites else EVERY_S_IN_A_LOG):
            self._said = now
            self._say(self.line(now - self._started), end="\r" if self._overwrites else "\n")

    def close(self) -> None:
        self._say(self.line(time.monotonic() - self._started, is_over=True), end="\n")

    def line(self, elapsed_s: float, *, is_over: bool = False) -> str:
        """The state in one line.

        >>> progress = Progress(10, price=Price(prompt=1.0))
        >>> progress.n_done, progress.n_cached, progress.usage = 4, 1, Usage(prompt_tokens=500_000)
        >>> progress.line(2.0)
        '4/10 done, 1 from the cache, 0 rejected, 2.0/s, 0 requests, 500000+0 tokens, cost 0.5000, 3 s left'
        """
        rate = self.n_done / max(elapsed_s, 1e-9)
        total = f"/{self.n_total}" if self.n_total else ""
        cost = f", cost {money(self.price.of(self.usage))}" if self.price != Price() else ""
        n_left = 0 if is_over else self.n_total - self.n_done
        left = f", {n_left / rate:.0f} s left" if n_left > 0 and rate else ""
        return (
            f"{self.n_done}{total} done, {self.n_cached} from the cache, {self.n_rejected} rejected, {rate:.1f}/s, "
            f"{self.n_requests} requests, {self.usage.prompt_tokens}+{self.usage.completion_tokens} tokens{cost}{left}"
        )

    def _say(self, line: str, *, end: str) -> None:
        blanks = "\x1b[K" if self._overwrites else ""
        print(f"{line}{blanks}", end=end, file=self.stream, flush=True)
