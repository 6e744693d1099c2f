"""What a cluster must be; the findings are made of facts, so that no cluster needs to be wrong for a test."""

import pytest
from os_deploy.cluster import Cluster
from os_deploy.preflight import Facts, check_cluster, fix_settings, learn_facts


def facts(**changed: object) -> Facts:
    found: dict[str, object] = {
        "version": (3, 6),
        "plugins": frozenset({"opensearch-neural-search", "opensearch-knn", "opensearch-ml", "analysis-nori"}),
        "has_ml_node": False,
        "free_disk_bytes": 10_000_000_000,
        "free_memory_bytes": 4_000_000_000,
        "settings": {
            "plugins.ml_commons.only_run_on_ml_node": "false",
            "plugins.ml_commons.allow_registering_model_via_local_file": "true",
        },
    }
    return Facts(**{**found, **changed})  # type: ignore[arg-type]


def failures(found: Facts, field: str = "rank_features", needs_models: bool = True) -> list[str]:
    findings = check_cluster(found, needs_models=needs_models, field=field, n_bytes=10**9, encoder_bytes=10**9)
    return [f.check for f in findings if not f.ok]


def test_a_right_cluster_has_no_failures() -> None:
    assert failures(facts()) == []


@pytest.mark.parametrize(
    ("changed", "failed"),
    [
        ({"version": (2, 19)}, ["version"]),
        ({"plugins": frozenset({"opensearch-knn"})}, ["plugins"]),
        ({"free_disk_bytes": 10**9}, ["disk"]),
        ({"free_memory_bytes": 10**9}, ["memory"]),
        (
            {"settings": {}},
            [
                "plugins.ml_commons.only_run_on_ml_node",
                "plugins.ml_commons.allow_registering_model_via_local_file",
            ],
        ),
        ({"settings": {}, "has_ml_node": True}, ["plugins.ml_commons.allow_registering_model_via_local_file"]),
    ],
)
def test_each_lack_is_found(changed: dict[str, object], failed: list[str]) -> None:
    assert failures(facts(**changed)) == failed


def test_sparse_vector_needs_3_3_and_tokens_need_no_models() -> None:
    assert failures(facts(version=(3, 2)), field="sparse_vector") == ["sparse_vector"]
    bare = facts(settings={}, plugins=frozenset({"opensearch-neural-search", "opensearch-knn"}))
    assert failures(bare, needs_models=False) == []


def test_without_nori_korean_is_cut_in_bigrams() -> None:
    assert (facts().korean, facts(plugins=frozenset()).korean) == ("nori", "cjk")


@pytest.mark.live
def test_settings_are_changed_and_what_they_were_is_returned(cluster: Cluster) -> None:
    name = "plugins.ml_commons.only_run_on_ml_node"
    try:
        cluster.put("/_cluster/settings", body={"persistent": {name: "true"}})
        assert fix_settings(cluster, learn_facts(cluster)) == {name: "true"}
        assert learn_facts(cluster).settings[name] == "false"
        assert fix_settings(cluster, learn_facts(cluster)) == {}
    finally:
        cluster.put("/_cluster/settings", body={"persistent": {name: None}})
