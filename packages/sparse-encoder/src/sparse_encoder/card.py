"""The model card: a README.md with the hub's metadata, made from what is known and from what only people know.

Known: the folder itself, its manifest and sparse-eval's metrics. From people, in a YAML file: what it was trained on
and under which licences, and what it is not good for.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import yaml

from sparse_encoder._files import InputError, check_version, read_json
from sparse_encoder.layouts import INFERENCE_FREE, ONE_ENCODER, TWO_ENCODERS, Layout, layout_of
from sparse_encoder.limits import read_max_active_terms
from sparse_encoder.origin import read_origin, told

HEADLINE = ("nDCG@10", "R@100", "Recall@100", "RR@10", "MRR@10")
"""Measures that a card shows, in this order, as far as there are any."""


class Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that the model was trained on."""

    name: str
    license: str
    """As its owner states it, such as `CC BY 4.0`."""
    attribution: str
    url: str = ""


class About(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people say of a model: `about.yaml`."""

    name: str
    summary: str
    license: str
    """Of the model, by its identifier on the hub, such as `apache-2.0`."""
    data: list[Data]
    limits: list[str]
    languages: tuple[str, ...] = ("ko", "en")


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One of sparse-eval's figures, with its 95 % interval."""

    measure: str
    slice: str
    value: float
    low: float
    high: float
    n: int


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """sparse-eval's `metrics.json`, as far as a card needs it."""

    format: str
    version: int
    system: str
    measures: list[Measure]
    facts: dict[str, float] = {}


class _Network(msgspec.Struct, frozen=True, kw_only=True):
    """What a card says of a network's `config.json`."""

    model_type: str
    num_hidden_layers: int
    hidden_size: int
    vocab_size: int


class _Queries(msgspec.Struct, frozen=True, kw_only=True):
    frozen: bool = True


def read_about(path: Path) -> About:
    """Reads `about.yaml`; InputError names what is missing or misspelt."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        about = msgspec.convert(found, About)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise InputError(f"{path}: {error}; wanted name, summary, license, data and limits") from error
    if not about.data or not about.limits:
        raise InputError(f"{path}: 'data' or 'limits' is empty; a card without them says too little to use a model by")
    return about


def read_metrics(path: Path) -> Metrics:
    """Reads a `metrics.json` of sparse-eval."""
    metrics = read_json(path, Metrics)
    if metrics.format != "metrics":
        raise InputError(f"{path}: is a {metrics.format!r}; wanted the metrics.json of sparse-eval judge")
    check_version(path, metrics.format, metrics.version)
    return metrics


def card(model: Path, about: About, metrics: Mapping[str, Metrics]) -> str:
    """The card's text. metrics: by the name of the set that they were measured on."""
    layout = layout_of(model)
    parts = [
        _front_matter(model, layout, about, metrics),
        f"# {about.name}\n\n{about.summary}",
        _usage(model, about.name),
        _facts(model, layout),
        _figures(metrics),
        "## Training data\n\n" + "\n".join(_attributed(data) for data in about.data),
        "## Limits\n\n" + "\n".join(f"- {limit}" for limit in about.limits),
        f"## Licence\n\nThe weights are licensed under `{about.license}`; the data keeps the licences above.",
        _reproduction(model),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(model: Path, layout: Layout, about: About, metrics: Mapping[str, Metrics]) -> str:
    tags = ["sentence-transformers", "sparse-encoder", "sparse", "splade", "korean"]
    tags += ["inference-free"] if layout == INFERENCE_FREE else []
    tags += ["custom_code"] if carries_code(model) else []
    results = [
        {
            "task": {"type": "sparse-information-retrieval", "name": "Sparse Information Retrieval"},
            "dataset": {"name": name, "type": name},
            "metrics": [
                {"type": m.measure, "value": round(m.value, 4), "name": f"{m.measure} ({m.slice})"}
                for m in _shown(found.measures)
            ],
        }
        for name, found in metrics.items()
    ]
    fields: dict[str, object] = {
        "language": list(about.languages),
        "license": about.license,
        "library_name": "sentence-transformers",
        "pipeline_tag": "feature-extraction",
        "tags": tags,
    }
    if results:
        fields["model-index"] = [{"name": about.name, "results": results}]
    text = yaml.safe_dump(fields, allow_unicode=True, sort_keys=False, width=1000)
    return f"---\n{text}---"


def _usage(model: Path, name: str) -> str:
    trust = ", trust_remote_code=True" if carries_code(model) else ""
    why = (
        "\n\n`trust_remote_code=True` is needed: documents also carry a saturated count of their own tokens (the "
        "lexical channel), which sentence-transformers has no module for. The code that it runs is the one file "
        "`lexical_channel.py` in this folder."
        if trust
        else ""
    )
    return f"""## Use

```python
from sentence_transformers import SparseEncoder

model = SparseEncoder({name!r}{trust})
documents = model.encode_document(["역색인은 단어에서 문서로 가는 길이다."])
queries = model.encode_query(["역색인이란"])
print(model.similarity(queries, documents))
```{why}"""


def carries_code(model: Path) -> bool:
    """Whether the folder loads only with `trust_remote_code=True`."""
    return any(model.glob("*.py"))


def _facts(model: Path, layout: Layout) -> str:
    n_tokens = read_json(model / layout.document / "config.json", _Network).vocab_size
    n_bytes = sum(f.stat().st_size for f in model.rglob("*") if f.is_file() and f.name != "README.md")
    rows = {
        "Document side": _network(model / layout.document),
        "Query side": _query_side(model, layout),
        "Vocabulary": f"{n_tokens:,} tokens",
        "Active terms of a document": f"at most {read_max_active_terms(model, n_tokens=n_tokens)}",
        "Size": f"{n_bytes / 1e6:.1f} MB",
    }
    return "## Model\n\n| | |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows.items())


def _query_side(model: Path, layout: Layout) -> str:
    if layout == ONE_ENCODER:
        return "the same network"
    if layout == TWO_ENCODERS:
        return f"a network of its own, {_network(model / layout.query)}"
    config = read_json(model / layout.query / "config.json", _Queries)
    return f"tokens times {'IDF' if config.frozen else 'trained weights'}, no network"


def _network(folder: Path) -> str:
    config = read_json(folder / "config.json", _Network)
    return f"{config.model_type}, {config.num_hidden_layers} x {config.hidden_size}"


def _shown(measures: Sequence[Measure]) -> list[Measure]:
    return [m for name in HEADLINE for m in measures if m.measure == name]


def _figures(metrics: Mapping[str, Metrics]) -> str:
    if not metrics:
        return ""
    lines = ["## Figures", "", "Means over queries with their 95 % bootstrap intervals.", ""]
    lines += ["| set | slice | measure | value | interval | queries |", "|---|---|---|---|---|---|"]
    for name, found in metrics.items():
        lines += [
            f"| {name} | {m.slice} | {m.measure} | {m.value:.3f} | {m.low:.3f} to {m.high:.3f} | {m.n} |"
            for m in _shown(found.measures)
        ]
    return "\n".join(lines)


def _attributed(data: Data) -> str:
    name = f"[{data.name}]({data.url})" if data.url else data.name
    return f"- {name}, {data.license}: {data.attribution}"


def _reproduction(model: Path) -> str:
    origin = read_origin(model)
    return f"## Made by\n\n{told(origin)}" if origin else ""
