"""Deployments on a real server: complete, idempotent, blue/green, undone."""

from dataclasses import replace
from pathlib import Path

import pytest
from exports import (
    bag_vector,
    dense_vector,
    encode_queries,
    make_tokenizer,
    read_titles,
    write_embeddings,
    write_export,
    write_passages,
    write_recipe,
    write_vectors,
)
from os_deploy import InputError
from os_deploy.bundles import read_bundles, the_bundle
from os_deploy.cluster import Cluster, Done
from os_deploy.corpus import Corpus
from os_deploy.deployment import Deployer, Deployment
from os_deploy.ingest import count
from os_deploy.passages import read_passages
from os_deploy.prove.deployed import Proof
from os_deploy.prove.parity import indexed_vectors
from os_deploy.recipe import read_recipe
from os_deploy.removal import list_versions, plan_removal, remove
from os_deploy.searching import Mode, Searcher, local_weigher
from os_deploy.versions import read_versions, roll_back, serving_indices, serving_version

pytestmark = pytest.mark.live


def deploy(cluster: Cluster, recipe: Path) -> Deployment:
    return Deployer(
        cluster=cluster, recipe=read_recipe(recipe), work=recipe.parent / "work", may_fix_settings=False, report=print
    ).run()


def searcher(cluster: Cluster, name: str, folder: Path) -> Searcher:
    bundle = the_bundle(read_bundles(folder / "deploy"), "tokenizer", folder)
    weigh = local_weigher(bundle.tokenizer, bundle.idf)
    return Searcher(cluster=cluster, record=serving_version(cluster, name), weigh=weigh, keys=bundle.tokenizer.keys)


def test_a_recipe_becomes_an_index_that_answers_in_every_mode(cluster: Cluster, tmp_path: Path) -> None:
    done = deploy(cluster, write_recipe(tmp_path, "every"))
    assert (done.index, done.version, done.n_passages, done.n_sent, done.replaced) == ("every-v1", 1, 40, 40, [])
    checks = ["count", "query_weights", "indexed_vectors", "ranking"]
    assert [(f.check, f.ok) for f in done.proof] == [(check, True) for check in checks]
    search = searcher(cluster, "every", tmp_path)
    best = {mode: search.search("도서관 학생은 책", mode=mode)[0].title for mode in ("bm25", "sparse", "two_phase")}
    assert best == {"bm25": "도서관 학생", "sparse": "도서관 학생", "two_phase": "도서관 학생"}
    assert search.search("도서관 학생은 책", mode="hybrid")[0].title == "도서관 학생"
    assert search.search("도서관 학생은 책", mode="rrf")[0].title == "도서관 학생"


def test_an_explained_result_names_the_matching_terms(cluster: Cluster, tmp_path: Path) -> None:
    deploy(cluster, write_recipe(tmp_path, "explained"))
    best = searcher(cluster, "explained", tmp_path).search("도서관", explain=True)[0]
    assert "도서관" in best.text
    assert best.terms == {"도서관": pytest.approx(best.score, rel=4e-3)}


def test_a_second_run_changes_nothing(cluster: Cluster, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "twice")
    first, second = deploy(cluster, recipe), deploy(cluster, recipe)
    assert (second.index, second.n_sent, second.tokenizer_id) == (first.index, 0, first.tokenizer_id)
    assert len(read_versions(cluster, "twice")) == 1


def test_new_passages_make_a_new_version_and_a_roll_back_serves_the_old_one(cluster: Cluster, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "moved")
    deploy(cluster, recipe)
    write_vectors(tmp_path / "vectors.jsonl", write_passages(tmp_path / "passages", 48))
    done = deploy(cluster, recipe)
    assert (done.index, done.replaced, done.n_passages) == ("moved-v2", ["moved-v1"], 48)
    assert serving_indices(cluster, "moved") == ["moved-v2"]
    assert roll_back(cluster, "moved").index == "moved-v1"
    assert [(v.version, v.serves) for v in list_versions(cluster, "moved")] == [(1, True), (2, False)]
    with pytest.raises(InputError, match="found no complete version before 1"):
        roll_back(cluster, "moved")


def test_removal_names_what_goes_and_leaves_nothing_but_shared_models(cluster: Cluster, tmp_path: Path) -> None:
    deploy(cluster, write_recipe(tmp_path / "a", "gone"))
    deploy(cluster, write_recipe(tmp_path / "b", "stays"))
    plan = plan_removal(cluster, "gone")
    assert plan.lines() == [
        "index gone-v1",
        "search pipeline gone-two-phase",
        "search pipeline gone-hybrid",
        "search pipeline gone-rrf",
    ]
    remove(cluster, plan)
    assert plan_removal(cluster, "gone").lines() == []
    assert searcher(cluster, "stays", tmp_path / "b").search("도서관")[0].title == "도서관 학생"


def test_the_server_encodes_passages_that_come_without_vectors(cluster: Cluster, tmp_path: Path) -> None:
    done = deploy(cluster, write_recipe(tmp_path, "server-side", n_passages=8, vectors=False))
    assert done.encoder_id
    assert [(f.check, f.ok) for f in done.proof] == [
        ("count", True),
        ("query_weights", True),
        ("indexed_vectors", True),
    ]
    assert searcher(cluster, "server-side", tmp_path).search("도서관")[0].title == "도서관 학생"


def test_the_server_encodes_titles_as_the_client_does(cluster: Cluster, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "titled", n_passages=8, vectors=False, more="title: true\nencode: {prune_ratio: 0}")
    done = deploy(cluster, recipe)
    assert [f.check for f in done.proof if f.ok] == ["count", "query_weights", "indexed_vectors"]
    passage = next(read_passages(tmp_path / "passages"))
    indexed = indexed_vectors(cluster, done.index, [passage.doc_id])[passage.doc_id]
    assert indexed == bag_vector(make_tokenizer(), f"{passage.title}\n{passage.text}")
    assert not cluster.get("/titled-v1/_doc/doc-0%230", dict[str, object])["_source"].keys() & {"encoded"}  # type: ignore[attr-defined]


def test_query_tokens_need_no_model_on_the_server(cluster: Cluster, tmp_path: Path) -> None:
    done = deploy(cluster, write_recipe(tmp_path, "tokens", more="query: tokens"))
    assert (done.encoder_id, done.tokenizer_id) == ("", "")
    assert searcher(cluster, "tokens", tmp_path).search("도서관")[0].title == "도서관 학생"


@pytest.mark.parametrize(("second", "vectors"), [(False, True), (True, True), (True, False)])
def test_queries_that_a_network_encodes_are_asked_of_the_server(
    cluster: Cluster, tmp_path: Path, second: bool, vectors: bool
) -> None:
    recipe = write_recipe(tmp_path, "encoded", n_passages=8, more="query: encoder", vectors=vectors)
    encode_queries(tmp_path / "deploy", second=second)
    done = deploy(cluster, recipe)
    assert all(f.ok for f in done.proof)
    compared = ["document_vectors"] if vectors and not second else []
    assert [f.check for f in done.proof] == [
        "count",
        *compared,
        "indexed_vectors",
        *(["ranking"] if vectors else []),
    ]
    assert (bool(done.encoder_id), bool(done.query_encoder_id)) == (not second or not vectors, second)
    record = serving_version(cluster, "encoded")
    found = Searcher(cluster=cluster, record=record).search("도서관", k=1)[0]
    weight = bag_vector(make_tokenizer(), "도서관")["도서관"]
    assert found.title == "도서관 학생"
    assert found.score == pytest.approx(weight * weight, rel=4e-3)
    assert record.query_model == ("SPARSE_ENCODING", done.query_encoder_id or done.encoder_id)
    assert set(plan_removal(cluster, "encoded").models) <= record.model_ids


def test_a_recipe_whose_queries_are_weighed_otherwise_than_the_models_says_what_to_set(
    cluster: Cluster, tmp_path: Path
) -> None:
    recipe = write_recipe(tmp_path, "otherwise")
    encode_queries(tmp_path / "deploy", second=True)
    with pytest.raises(InputError, match="set `query: encoder` in the recipe"):
        deploy(cluster, recipe)
    assert read_versions(cluster, "otherwise") == []


def test_dense_vectors_answer_alone_and_in_hybrids(cluster: Cluster, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "dense", n_passages=16, more="query: tokens\ndense: embeddings")
    write_embeddings(tmp_path / "embeddings", "document", read_titles(tmp_path / "passages"))
    deploy(cluster, recipe)
    text = "도서관 학생"
    search = replace(searcher(cluster, "dense", tmp_path), embeddings={text: dense_vector(text)})
    modes: list[Mode] = ["dense", "hybrid_dense", "rrf_dense", "rrf_all"]
    assert [search.search(text, mode=mode)[0].title for mode in modes] == [text] * 4
    with pytest.raises(InputError, match="found no dense vector for '책', wanted one"):
        search.search("책", mode="dense")


def test_passages_without_a_dense_vector_are_refused_before_anything_changes(cluster: Cluster, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "sparse-only", more="query: tokens\ndense: embeddings")
    write_embeddings(tmp_path / "embeddings", "document", {"doc-0#0": "희소 검색"})
    with pytest.raises(InputError, match="found no row for 'doc-0#1'"):
        deploy(cluster, recipe)
    assert read_versions(cluster, "sparse-only") == []


def test_vectors_out_of_step_with_the_index_do_not_serve(cluster: Cluster, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "tampered", more="query: tokens\nparity_texts: 40")
    deploy(cluster, recipe)
    served = read_versions(cluster, "tampered")[0]
    cluster.post("/tampered-v1/_update/doc-0%230?refresh=true", Done, body={"doc": {"vector": {"날씨": 9.0}}})
    corpus = Corpus(
        passages=tmp_path / "passages",
        vectors=tmp_path / "vectors.jsonl",
        tokenizer=read_bundles(tmp_path / "deploy")[0].tokenizer,
        field="rank_features",
    )
    bundles = {b.part: b for b in read_bundles(tmp_path / "deploy")}
    proof = Proof(cluster=cluster, recipe=read_recipe(recipe), record=served, corpus=corpus, bundles=bundles).findings()
    assert {f.check: f.ok for f in proof} == {"count": True, "indexed_vectors": False, "ranking": False}


def test_a_seismic_index_answers_by_token_ids(cluster: Cluster, tmp_path: Path) -> None:
    more = "field: sparse_vector\nseismic: {approximate_threshold: 5}"
    done = deploy(cluster, write_recipe(tmp_path, "seismic", more=more))
    search = searcher(cluster, "seismic", tmp_path)
    assert done.proof[-1].line() == "ok    overlap: 100.0% of the exact top 10 over 4 queries"
    best = search.search("도서관 학생은 책", explain=True)[0]
    assert (best.title, next(iter(best.terms))) == ("도서관 학생", "##은")
    with pytest.raises(InputError, match="two_phase: found a sparse_vector field"):
        search.search("도서관", mode="two_phase")


def test_synonyms_widen_keyword_queries(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "synonyms.txt").write_text("# a comment\nlibrary, 도서관\n", encoding="utf-8")
    deploy(cluster, write_recipe(tmp_path, "synonyms", more="synonyms: synonyms.txt"))
    assert searcher(cluster, "synonyms", tmp_path).search("library", mode="bm25")[0].title == "도서관 학생"


def test_a_worse_version_does_not_serve(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_text('{"_id":"q-1","text":"도서관 학생은 책"}\n', encoding="utf-8")
    recipe = write_recipe(tmp_path, "gated", more="gate: {queries: queries.jsonl, qrels: test.tsv}")
    best = next(line for line in (tmp_path / "passages/corpus.jsonl").read_text().splitlines() if "책을" in line)
    doc_id = best.split('"')[3]
    (tmp_path / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\nq-1\t{doc_id}\t1\n", encoding="utf-8")
    deploy(cluster, recipe)
    vectors = (tmp_path / "vectors.jsonl").read_text(encoding="utf-8").splitlines()
    empty = [f'{{"id":"{doc_id}","vector":{{}}}}' if f'"{doc_id}"' in line else line for line in vectors]
    (tmp_path / "vectors.jsonl").write_text("\n".join(empty), encoding="utf-8")
    with pytest.raises(InputError, match=r"the alias gated was not moved(.|\n)*FAIL  quality: found 0\.0000"):
        deploy(cluster, recipe)
    assert serving_indices(cluster, "gated") == ["gated-v1"]


def test_a_wrong_export_is_refused_before_anything_changes(cluster: Cluster, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "refused")
    (write_export(tmp_path / "deploy") / "tokenizer.zip").write_bytes(b"")
    with pytest.raises(InputError, match="nothing was changed"):
        deploy(cluster, recipe)
    assert read_versions(cluster, "refused") == []


def test_an_index_in_the_aliass_place_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    cluster.put("/taken")
    with pytest.raises(InputError, match="FAIL  name: found an index"):
        deploy(cluster, write_recipe(tmp_path, "taken"))
    assert count(cluster, "taken") == 0
    cluster.delete("/taken")
