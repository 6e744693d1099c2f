"""The 8-bit ceilings of a `sparse_vector` field: weights above one are cut to it, and OpenSearch says nothing.

A ceiling is divided in 255 steps, so raising it costs the lightest weights what it gives the heaviest: what a recipe
states is taken, and nothing is raised unless that was asked for.
"""

import math
from collections.abc import Sequence

import msgspec

from os_deploy.findings import Finding, Requirement
from os_deploy.recipe import Recipe, Seismic

STEPS = 255


class Heaviest(msgspec.Struct, frozen=True, kw_only=True):
    """The largest weights that an index and its queries will hold; 0 where they are not known yet."""

    document: float = 0.0
    query: float = 0.0


NOTHING = Heaviest()


def check_ceilings(recipe: Recipe, heaviest: Heaviest, *, accepted: Heaviest = NOTHING) -> list[Finding]:
    """Whether a `sparse_vector` field would cut weights; nothing is looked for in other fields.

    accepted: the ceilings of earlier versions, which may be had again.
    """
    if recipe.field != "sparse_vector":
        return []
    document = max(recipe.seismic.quantization_ceiling_ingest, accepted.document)
    query = max(recipe.seismic.quantization_ceiling_search, accepted.query)
    return [
        _check("document_ceiling", heaviest.document, document, "ingest"),
        _check("query_ceiling", heaviest.query, query, "search"),
    ]


def _check(name: str, weight: float, ceiling: float, side: str) -> Finding:
    setting = f"seismic.quantization_ceiling_{side}"
    wanted = Requirement(
        check=name,
        wanted=f"at most {ceiling:g}, or {setting}: {rounded_up(weight):g} in the recipe, or --fix-settings",
        why="heavier weights are cut to the ceiling, and rankings change",
    )
    return wanted.met(weight <= ceiling, f"{weight:.2f}, in steps of {ceiling / STEPS:.4f}")


def raise_ceilings(seismic: Seismic, heaviest: Heaviest) -> Seismic:
    """The same parameters with ceilings that cut nothing: raised where they must be, never lowered.

    >>> raise_ceilings(Seismic(), Heaviest(document=4.392, query=7.1)).quantization_ceiling_ingest
    4.4
    """
    return msgspec.structs.replace(
        seismic,
        quantization_ceiling_ingest=max(seismic.quantization_ceiling_ingest, rounded_up(heaviest.document)),
        quantization_ceiling_search=max(seismic.quantization_ceiling_search, rounded_up(heaviest.query)),
    )


def rounded_up(weight: float) -> float:
    """The next tenth, so that a recipe shows a number that people can read."""
    return math.ceil(round(weight * 10, 6)) / 10


def heaviest_of(vectors: Sequence[dict[str, float]]) -> float:
    """The largest weight of any of the vectors, 0 without one.

    >>> heaviest_of([{"검색": 1.5}, {"희소": 2.5}, {}])
    2.5
    """
    return max((weight for vector in vectors for weight in vector.values()), default=0.0)
