"""What a cluster must be before anything on it is changed.

Settings that are in the way are named with what they must be; they are changed only when that is asked for, and what
they were is kept.
"""

from collections.abc import Mapping, Sequence

import msgspec

from os_deploy.cluster import Cluster
from os_deploy.findings import Finding, Requirement

VERSION = Requirement(
    check="version",
    wanted="3.0 or later",
    why="models exported by a current PyTorch need the server's PyTorch 2.5, and raw query tokens 2.14",
)
SPARSE_VECTOR = Requirement(check="sparse_vector", wanted="3.3 or later", why="older servers have no such field")
PLUGINS = Requirement(
    check="plugins", wanted="on every node", why="neural_sparse, its vectors and models come from them"
)
DISK = Requirement(
    check="disk", wanted="three times the input free on a data node", why="an index is built beside the one it replaces"
)
MEMORY = Requirement(
    check="memory",
    wanted="twice the encoder's zip free on a node",
    why="the encoder is loaded outside of the Java heap",
)
NAME_FREE = Requirement(
    check="name",
    wanted="no index of that very name",
    why="the alias needs the name, and an index in its place is not ours",
)

MODEL_SETTINGS = {
    "plugins.ml_commons.only_run_on_ml_node": "false",
    "plugins.ml_commons.allow_registering_model_via_local_file": "true",
}
"""What models need where no node has the ml role and the zip is uploaded."""


class _Version(msgspec.Struct, frozen=True):
    number: str


class _Root(msgspec.Struct, frozen=True):
    version: _Version


class _Plugin(msgspec.Struct, frozen=True):
    name: str


class _Node(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    roles: list[str] = []
    plugins: list[_Plugin] = []


class _Nodes(msgspec.Struct, frozen=True):
    nodes: dict[str, _Node]


class _Space(msgspec.Struct, frozen=True):
    available_in_bytes: int = 0


class _Files(msgspec.Struct, frozen=True):
    total: _Space


class _Memory(msgspec.Struct, frozen=True):
    free_in_bytes: int = 0


class _System(msgspec.Struct, frozen=True):
    mem: _Memory


class _Stats(msgspec.Struct, frozen=True):
    fs: _Files
    os: _System


class _NodeStats(msgspec.Struct, frozen=True):
    nodes: dict[str, _Stats]


class _Settings(msgspec.Struct, frozen=True):
    persistent: dict[str, object] = {}
    transient: dict[str, object] = {}
    defaults: dict[str, object] = {}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned of a cluster."""

    version: tuple[int, int]
    plugins: frozenset[str]
    """Those that every node has."""
    has_ml_node: bool
    free_disk_bytes: int
    """On the data node with the least."""
    free_memory_bytes: int
    """On the node with the most."""
    settings: dict[str, str]
    """Of MODEL_SETTINGS, as they are."""

    @property
    def korean(self) -> str:
        """The analyser for title and text."""
        return "nori" if "analysis-nori" in self.plugins else "cjk"


def learn_facts(cluster: Cluster) -> Facts:
    """Asks the cluster for everything that the checks need."""
    number = cluster.get("/", _Root).version.number
    nodes = list(cluster.get("/_nodes/plugins", _Nodes).nodes.values())
    stats = list(cluster.get("/_nodes/stats/fs,os", _NodeStats).nodes.values())
    major, minor = (int(part) for part in number.split(".")[:2])
    found = cluster.get("/_cluster/settings?include_defaults=true&flat_settings=true", _Settings)
    effective = {**found.defaults, **found.persistent, **found.transient}
    return Facts(
        version=(major, minor),
        plugins=frozenset.intersection(*(frozenset(p.name for p in n.plugins) for n in nodes)),
        has_ml_node=any("ml" in n.roles for n in nodes),
        free_disk_bytes=min(s.fs.total.available_in_bytes for s in stats),
        free_memory_bytes=max(s.os.mem.free_in_bytes for s in stats),
        settings={name: str(effective[name]) for name in MODEL_SETTINGS if name in effective},
    )


def check_cluster(facts: Facts, *, needs_models: bool, field: str, n_bytes: int, encoder_bytes: int) -> list[Finding]:
    """The findings about the cluster for a deployment of `n_bytes` of input and an encoder zip of `encoder_bytes`."""
    shown = ".".join(map(str, facts.version))
    findings = [VERSION.met(facts.version >= (3, 0), shown)]
    if field == "sparse_vector":
        findings.append(SPARSE_VECTOR.met(facts.version >= (3, 3), shown))
    wanted = {"opensearch-neural-search", "opensearch-knn", *(["opensearch-ml"] if needs_models else [])}
    missing = sorted(wanted - facts.plugins)
    findings.append(PLUGINS.met(not missing, f"no {', no '.join(missing)}" if missing else ", ".join(sorted(wanted))))
    findings.append(DISK.met(facts.free_disk_bytes >= 3 * n_bytes, f"{facts.free_disk_bytes / 1e9:.1f} GB"))
    if encoder_bytes:
        free = facts.free_memory_bytes
        findings.append(MEMORY.met(free >= 2 * encoder_bytes, f"{free / 1e9:.1f} GB for {encoder_bytes / 1e9:.1f} GB"))
    if needs_models and not missing:
        findings += check_settings(facts)
    return findings


def check_settings(facts: Facts) -> list[Finding]:
    """A finding for each setting that models need."""
    return [
        Requirement(
            check=name, wanted=value, why="`--fix-settings` changes it; no model can be uploaded or run otherwise"
        ).met(facts.settings.get(name) == value, str(facts.settings.get(name)))
        for name, value in needed_settings(facts).items()
    ]


def needed_settings(facts: Facts) -> dict[str, str]:
    """What must hold for models here: on a cluster with ml nodes they run there."""
    return {n: v for n, v in MODEL_SETTINGS.items() if not (facts.has_ml_node and n.endswith("only_run_on_ml_node"))}


def fix_settings(cluster: Cluster, facts: Facts) -> dict[str, str]:
    """Changes what is in the way of models, persistently; returns what it was before."""
    wrong = {n: v for n, v in needed_settings(facts).items() if facts.settings.get(n) != v}
    if wrong:
        cluster.put("/_cluster/settings", body={"persistent": wrong})
    return {name: facts.settings.get(name, "") for name in wrong}


def check_name_free(cluster: Cluster, name: str, indices: Sequence[str] | Mapping[str, object]) -> Finding:
    """Whether `name` is free for an alias, or one already; `indices`: what the cluster answers for that name."""
    return NAME_FREE.met(name not in indices, "an index" if name in indices else f"free on {cluster.url}")
