"""The recipe of a deployment: `deploy.yaml`.

Keys are strict: one that is misspelled is named with the nearest that exists, because a setting that is silently not
applied costs an index.
"""

import difflib
import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml

from os_deploy._files import InputError

Ratio = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Ceiling = Annotated[float, msgspec.Meta(gt=0)]


class Seismic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How `sparse_vector` fields are indexed; what is left out follows from the corpus."""

    n_postings: Count | None = None
    """Postings kept of each token; 0.05 % of the passages, at least 300."""
    cluster_ratio: Ratio = 0.1
    summary_prune_ratio: Ratio = 0.4
    approximate_threshold: Count = 10_000
    """Passages of a segment from which the search is approximate; below it is exact."""
    quantization_ceiling_ingest: Ceiling = 3.0
    """The largest document weight that 8 bits keep; heavier ones are refused, since the server would cut them."""
    quantization_ceiling_search: Ceiling = 16.0
    """The same of query weights."""
    min_overlap: Ratio = 0.8
    """How much of the exact top 10 the index must find before the alias moves to it."""


class TwoPhase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The two-phase search pipeline: the heaviest query tokens find candidates, all tokens score them."""

    prune_ratio: Ratio = 0.4
    expansion_rate: float = 5.0
    max_window_size: Count = 10_000


class Encode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the server's encoder keeps of a vector, where the server encodes."""

    prune_ratio: Ratio = 0.1
    """Weights below this share of the vector's largest are left out."""


class Ingest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How passages are sent."""

    workers: Annotated[int, msgspec.Meta(ge=1, le=32)] = 2
    batch_bytes: Annotated[int, msgspec.Meta(ge=1000, le=90_000_000)] = 4_000_000
    segments: Count = 1
    """The index is merged to this many segments a shard when all is sent."""


class Gate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Judged queries on which a new version must not be worse than the one that serves."""

    queries: str
    qrels: str
    max_loss: Ratio = 0.005
    """In nDCG@10."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to deploy, and how."""

    name: str
    """The alias that serves; indices are `<name>-v1`, `<name>-v2` and so on."""
    export: str
    """The folder that `sparse-encoder export` wrote."""
    passages: str
    """A BEIR folder."""
    vectors: str | None = None
    """The passages' vectors (`sparse-encoder encode`); without them the server encodes each passage, which is slow."""
    title: bool = False
    """Vectors are of each passage's title, a line end and its text, as `sparse-encoder encode --title` makes them."""
    dense: str | None = None
    """Dense vectors for k-NN beside the sparse ones: a folder of `sparse-mining embed`, or a `.npy` in order."""
    url: str | None = None
    field: Literal["rank_features", "sparse_vector"] = "rank_features"
    query: Literal["tokenizer", "tokens", "encoder"] = "tokenizer"
    """Who makes query vectors: the server's tokenizer model, the client, or the encoder (symmetric models)."""
    shards: Count = 1
    replicas: Annotated[int, msgspec.Meta(ge=0)] = 0
    synonyms: str | None = None
    """A file of Solr synonyms, applied to keyword queries."""
    hybrid_weights: tuple[Ratio, Ratio] = (0.5, 0.5)
    """Of keyword and sparse scores."""
    parity_texts: Annotated[int, msgspec.Meta(ge=0)] = 20
    """How many passages are compared between server and local before the alias moves."""
    seismic: Seismic = Seismic()
    two_phase: TwoPhase = TwoPhase()
    encode: Encode = Encode()
    ingest: Ingest = Ingest()
    gate: Gate | None = None


def read_recipe(path: Path) -> Recipe:
    """Reads a recipe; its paths are relative to it. InputError names what is wrong in it."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: found no YAML that can be read: {error}") from error
    try:
        recipe = msgspec.convert(found, Recipe)
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: {_advice(str(error))}") from error
    check_name(recipe.name)
    if recipe.dense and recipe.field == "sparse_vector":
        raise InputError(
            f"{path}: found `dense` with `field: sparse_vector`, wanted rank_features: OpenSearch lets only one of "
            f"k-NN and SEISMIC into an index (each brings a codec)"
        )
    here = path.parent
    gate = recipe.gate and msgspec.structs.replace(
        recipe.gate, queries=str(here / recipe.gate.queries), qrels=str(here / recipe.gate.qrels)
    )
    return msgspec.structs.replace(
        recipe,
        export=str(here / recipe.export),
        passages=str(here / recipe.passages),
        vectors=recipe.vectors and str(here / recipe.vectors),
        dense=recipe.dense and str(here / recipe.dense),
        synonyms=recipe.synonyms and str(here / recipe.synonyms),
        gate=gate,
    )


def _advice(message: str) -> str:
    unknown = re.match(r"Object contains unknown field `([^`]*)`", message)
    if unknown is None:
        return message
    sections = [Recipe, Seismic, TwoPhase, Encode, Ingest, Gate]
    where = re.search(r"at `\$\.(\w+)", message)
    named = [s for s in sections if where and s.__name__.lower() == where[1].replace("_", "")] or [Recipe]
    near = difflib.get_close_matches(unknown[1], named[0].__struct_fields__, n=1, cutoff=0.0)
    return f"found the key {unknown[1]!r}, which is none: nearest is {near[0]!r}"


def check_name(name: str) -> None:
    """Raises InputError where OpenSearch would refuse an index of that name."""
    if re.search(r"""[\\/*?"<>| ,#:A-Z]""", name) or not re.match(r"[^-_+.]", name) or len(name.encode()) > 200:
        raise InputError(
            f'name: found {name!r}, wanted lower case, without blanks and \\ / * ? " < > | , # :, '
            f"not beginning with - _ + or ., at most 200 bytes"
        )
