"""Weights above the 8-bit ceilings are refused, and raised only when that is asked for."""

from pathlib import Path

import pytest
from exports import write_passages, write_recipe, write_vectors
from os_deploy import InputError
from os_deploy.ceilings import Heaviest, check_ceilings, raise_ceilings
from os_deploy.cluster import Cluster
from os_deploy.deployment import Deployer, Deployment
from os_deploy.recipe import Recipe, Seismic, read_recipe
from os_deploy.versions import read_versions


def recipe(field: str, **seismic: float) -> Recipe:
    return Recipe(name="docs", export="e", passages="p", field=field, seismic=Seismic(**seismic))  # type: ignore[arg-type]


def test_each_side_has_its_own_ceiling() -> None:
    findings = check_ceilings(recipe("sparse_vector"), Heaviest(document=3.01, query=16.0))
    assert [(f.check, f.ok) for f in findings] == [("document_ceiling", False), ("query_ceiling", True)]
    assert "seismic.quantization_ceiling_ingest: 3.1 in the recipe, or --fix-settings" in findings[0].wanted


def test_a_recipe_that_states_its_ceilings_is_taken_at_its_word() -> None:
    stated = recipe("sparse_vector", quantization_ceiling_ingest=4.5, quantization_ceiling_search=20)
    assert all(f.ok for f in check_ceilings(stated, Heaviest(document=4.4, query=19)))


def test_what_earlier_versions_had_is_accepted_and_no_more() -> None:
    accepted = Heaviest(document=5.0)
    findings = [check_ceilings(recipe("sparse_vector"), Heaviest(document=w), accepted=accepted) for w in (4.9, 5.1)]
    assert [found[0].ok for found in findings] == [True, False]


def test_exact_fields_have_no_ceilings() -> None:
    assert check_ceilings(recipe("rank_features"), Heaviest(document=99, query=99)) == []


def test_ceilings_are_raised_and_never_lowered() -> None:
    raised = raise_ceilings(Seismic(quantization_ceiling_search=32), Heaviest(document=3.0001, query=2))
    assert (raised.quantization_ceiling_ingest, raised.quantization_ceiling_search) == (3.1, 32)


def deploy(cluster: Cluster, path: Path, *, fix: bool) -> Deployment:
    return Deployer(
        cluster=cluster, recipe=read_recipe(path), work=path.parent / "work", may_fix_settings=fix, report=print
    ).run()


def double_weights(folder: Path) -> None:
    """Vectors with weights of up to 5.0."""
    path = folder / "vectors.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace(": 2.5", ": 5.0"), encoding="utf-8")


@pytest.mark.live
def test_a_weight_that_would_be_cut_is_refused_until_the_ceiling_is_raised(cluster: Cluster, tmp_path: Path) -> None:
    path = write_recipe(tmp_path, "ceiling", n_passages=16, more="field: sparse_vector\nquery: tokens")
    double_weights(tmp_path)
    with pytest.raises(InputError, match=r"nothing was changed\n  FAIL  document_ceiling: found 5\.00"):
        deploy(cluster, path, fix=False)
    assert read_versions(cluster, "ceiling") == []
    assert deploy(cluster, path, fix=True).n_sent == 16
    mapping = cluster.get("/ceiling-v1/_mapping/field/vector", dict[str, object])
    assert "'quantization_ceiling_ingest': 5.0" in str(mapping)


@pytest.mark.live
def test_a_ceiling_that_was_accepted_once_needs_no_flag_again(cluster: Cluster, tmp_path: Path) -> None:
    path = write_recipe(tmp_path, "accepted", n_passages=16, more="field: sparse_vector\nquery: tokens")
    double_weights(tmp_path)
    deploy(cluster, path, fix=True)
    assert deploy(cluster, path, fix=False).n_sent == 0
    write_vectors(tmp_path / "vectors.jsonl", write_passages(tmp_path / "passages", 12))
    double_weights(tmp_path)
    again = deploy(cluster, path, fix=False)
    assert (again.index, again.n_sent) == ("accepted-v2", 12)
    mapping = cluster.get("/accepted-v2/_mapping/field/vector", dict[str, object])
    assert "'quantization_ceiling_ingest': 5.0" in str(mapping)
    heavier = (tmp_path / "vectors.jsonl").read_text(encoding="utf-8").replace(": 5.0", ": 5.5")
    (tmp_path / "vectors.jsonl").write_text(heavier, encoding="utf-8")
    with pytest.raises(InputError, match=r"found 5\.50, .*wanted at most 5, or seismic"):
        deploy(cluster, path, fix=False)


@pytest.mark.live
def test_what_the_servers_encoder_makes_is_looked_at_before_there_is_an_index(cluster: Cluster, tmp_path: Path) -> None:
    more = "field: sparse_vector\nseismic: {quantization_ceiling_ingest: 2.0}"
    path = write_recipe(tmp_path, "unseen", n_passages=8, vectors=False, more=more)
    with pytest.raises(InputError, match=r"unseen-v1: not made: (.|\n)*FAIL  document_ceiling: found 3\.12"):
        deploy(cluster, path, fix=False)
    assert read_versions(cluster, "unseen") == []
    path.write_text(path.read_text().replace("2.0", "3.2"), encoding="utf-8")
    done = deploy(cluster, path, fix=False)
    assert [f.check for f in done.proof] == ["count", "query_weights", "indexed_vectors", "document_ceiling"]
