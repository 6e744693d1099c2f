"""Slices: the queries of one language or kind, since a mean over all hides where a system fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparse_eval._files import InputError
from sparse_eval.records import ALL, Query

FIELDS = ("lang", "kind")
"""The fields of a query's metadata whose values are slices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Some of the judged queries."""

    name: str
    members: NDArray[np.bool_]
    """(n_queries,), in the order of the judged queries."""

    @property
    def n(self) -> int:
        """Queries in it."""
        return int(self.members.sum())


def slices(query_ids: Sequence[str], queries: Mapping[str, Query] | None) -> list[Slice]:
    """The slice of all queries, and those of each value of `lang` and `kind` in order of size, then of name.

    A field in which all queries agree makes no slice. `queries` None means that nothing is known of them. InputError
    where a judged query is not among them.

    >>> known = {n: Query(id=n, text=n, metadata={"lang": n[0]}) for n in ("ko1", "ko2", "en1")}
    >>> [(s.name, s.n) for s in slices(["ko1", "ko2", "en1"], known)]
    [('all', 3), ('lang=k', 2), ('lang=e', 1)]
    """
    found = [Slice(name=ALL, members=np.ones(len(query_ids), dtype=bool))]
    if queries is None:
        return found
    missing = [query_id for query_id in query_ids if query_id not in queries]
    if missing:
        raise InputError(
            f"the query {missing[0]!r} is judged in the qrels ({len(missing)} such) and is not in the queries: "
            f"wanted the queries that the qrels are for"
        )
    for field in FIELDS:
        values = np.array([str(queries[query_id].metadata.get(field) or "") for query_id in query_ids])
        names, counts = np.unique(values, return_counts=True)
        if len(names) > 1:
            order = sorted(zip(-counts, names, strict=True))
            found += [Slice(name=f"{field}={name}", members=values == name) for _, name in order if name]
    return found
