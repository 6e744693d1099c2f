"""What a run would send and cost: requests that the cache does not answer, and their tokens, estimated.

No model is loaded and no server asked for it.
"""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from .asking import Asking
from .backend_choice import Named
from .budget import Price, estimated_usage, money, plus
from .cache import Cache, cache_key
from .outcomes import Usage
from .prompts import UnaskableError
from .records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Counts of a run that has not been made."""

    n_requests: int
    n_cached: int
    n_unaskable: int
    """Records that cannot be asked about."""
    usage: Usage
    """Of the requests, about."""

    def lines(self, price: Price) -> list[str]:
        """A name and a number a line, parted by a tab.

        >>> usage = Usage(prompt_tokens=2_000_000)
        >>> Forecast(n_requests=2, n_cached=0, n_unaskable=0, usage=usage).lines(Price(prompt=1.5))[-1]
        'cost, about\\t3.00'
        """
        lines = [
            f"requests\t{self.n_requests}",
            f"from the cache\t{self.n_cached}",
            f"records that cannot be asked\t{self.n_unaskable}",
            f"prompt tokens, about\t{self.usage.prompt_tokens}",
            f"completion tokens, about\t{self.usage.completion_tokens}",
        ]
        return [*lines, f"cost, about\t{money(price.of(self.usage))}"] if price != Price() else lines


def forecast(asking: Asking, records: Iterable[Record], model: Named, *, cache_path: Path) -> Forecast:
    """What a run over these records would send to a model, given the cache that it would have."""
    n_requests = n_cached = n_unaskable = 0
    usage = Usage()
    with Cache(cache_path) if cache_path.is_file() else nullcontext() as cache:
        for record in records:
            try:
                requests = asking.requests(record)
            except UnaskableError:
                n_unaskable += 1
                continue
            keys = [cache_key(request, model=model.model, revision=model.revision) for request in requests]
            found = cache.find(keys) if cache is not None else {}
            wanted = [request for request, key in zip(requests, keys, strict=True) if key not in found]
            n_cached += len(requests) - len(wanted)
            n_requests += len(wanted)
            for request in wanted:
                usage = plus(usage, estimated_usage(request))
    return Forecast(n_requests=n_requests, n_cached=n_cached, n_unaskable=n_unaskable, usage=usage)
