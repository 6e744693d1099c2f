import json
import math
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from conftest import QUERIES as TRAINED_QUERIES
from sentence_transformers import SparseEncoder
from sparse_encoder._files import InputError
from sparse_encoder.adamw import AdamW
from sparse_encoder.asking import encode_queries
from sparse_encoder.backends import Side, prepare
from sparse_encoder.bert import THRESHOLD, Bert, bert_config, start_lexical
from sparse_encoder.card import About, Data, card
from sparse_encoder.encoding import encode_texts
from sparse_encoder.explaining import explain
from sparse_encoder.exporting import export
from sparse_encoder.inspection import inspect
from sparse_encoder.layouts import INFERENCE_FREE
from sparse_encoder.lexical import LexicalChannel
from sparse_encoder.model_folder import SparseModel, ones, read_model, write_model
from sparse_encoder.network import Network
from sparse_encoder.pruning import Pruning
from sparse_encoder.query_side import read_query_side
from sparse_encoder.recipe import Queries, Recipe, read_recipe
from sparse_encoder.shrinking import shrink
from sparse_encoder.starting import lower_to
from sparse_encoder.trained_idf import TrainedIdf
from sparse_encoder.training import train
from sparse_encoder.vectors import read_vectors
from sparse_encoder.vocabulary import Vocabulary, count_idf
from typer.testing import CliRunner

TEXTS = ["희소 검색은 단어마다 가중치(weight)를 둔다.", "검색 검색 sparse vector", "문서"]
QUERIES = ["희소 검색", "sparse vector 문서"]


def network(vocabulary: Vocabulary, seed: int) -> Bert:
    """A tiny document side a few random steps away from the bag of words."""
    bert = Bert(bert_config("tiny", vocab_size=len(vocabulary.tokens), max_tokens=64)).eval()
    start_lexical(bert, twins=[], silent=vocabulary.special_ids, threshold=THRESHOLD, seed=seed)
    noise = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in bert.named_parameters():
            if "dense" in name:
                parameter.add_(torch.randn(parameter.shape, generator=noise) * 0.01)
    return bert


@pytest.fixture(params=["idf", "trained_idf", "same", "other"])
def model(request: pytest.FixtureRequest, vocabulary: Vocabulary) -> SparseModel:
    bert = network(vocabulary, 1)
    query = {"same": bert, "other": network(vocabulary, 2)}.get(request.param)
    idf = ones(vocabulary) * (1.0 if query else 2.5)
    if request.param == "trained_idf":
        idf[7] = 0.0
    return SparseModel(
        bert=bert,
        idf=idf,
        vocabulary=vocabulary,
        max_tokens=64,
        max_active_terms=30,
        query=query,
        activation="double_log1p",
        trained_idf=request.param == "trained_idf",
    )


def rows(vectors: list[tuple[np.ndarray, np.ndarray]], size: int) -> np.ndarray:
    found = np.zeros((len(vectors), size), dtype=np.float32)
    for row, (ids, weights) in zip(found, vectors, strict=True):
        row[ids] = weights
    return found


@pytest.mark.parametrize("lexical", [False, True])
def test_sentence_transformers_finds_the_same_vectors_on_both_sides(
    model: SparseModel, lexical: bool, tmp_path: Path
) -> None:
    size = len(model.idf)
    if lexical:
        model = replace(model, lexical=LexicalChannel(size, mean_length=7.0, gate=0.5))
    write_model(model, tmp_path / "m")
    theirs = SparseEncoder(str(tmp_path / "m"), device="cpu", trust_remote_code=lexical)
    documents = encode_texts(read_model(tmp_path / "m"), TEXTS, pruning=Pruning(top_k=30))
    np.testing.assert_allclose(theirs.encode_document(TEXTS).to_dense().numpy(), rows(documents, size), atol=1e-5)
    queries = rows(encode_queries(read_model(tmp_path / "m"), QUERIES), size)
    np.testing.assert_allclose(theirs.encode_query(QUERIES).to_dense().numpy(), queries, atol=1e-5)
    assert (queries > 0).any(axis=1).all()


def test_long_queries_are_cut_and_limited_as_sentence_transformers_does(model: SparseModel, tmp_path: Path) -> None:
    """Both limits are the model's: nine tokens of a text, and the heaviest five terms of those."""
    if model.query is None:
        model = replace(model, idf=model.idf * torch.linspace(1, 2, len(model.idf)))
    write_model(replace(model, max_tokens=9, max_active_terms=5), tmp_path / "m")
    long = [" ".join(TRAINED_QUERIES), "희소 검색 검색 검색 역색인 도서관 학생 임베딩 벡터 클러스터", "검색"]
    wanted = SparseEncoder(str(tmp_path / "m"), device="cpu").encode_query(long).to_dense().numpy()
    assert ((wanted > 0).sum(axis=1)[:2] == 5).all()
    read = read_model(tmp_path / "m")
    np.testing.assert_allclose(rows(encode_queries(read, long), len(model.idf)), wanted, atol=1e-5)
    if model.query is None:
        found = read_query_side(tmp_path / "m").encode([("", query) for query in long])
        np.testing.assert_allclose(rows([(v.token_ids, v.weights) for v in found], len(model.idf)), wanted)


def test_writing_what_was_read_gives_the_same_bytes(model: SparseModel, tmp_path: Path) -> None:
    write_model(model, tmp_path / "a")
    write_model(read_model(tmp_path / "a"), tmp_path / "b")
    files = [p for p in (tmp_path / "a").rglob("*") if p.is_file()]
    assert all(p.read_bytes() == (tmp_path / "b" / p.relative_to(tmp_path / "a")).read_bytes() for p in files)


def test_encode_queries_writes_what_the_query_side_finds(model: SparseModel, tmp_path: Path) -> None:
    from sparse_encoder.cli import app

    write_model(model, tmp_path / "m")
    lines = [json.dumps({"_id": f"q{i}", "text": text}, ensure_ascii=False) for i, text in enumerate(QUERIES)]
    (tmp_path / "queries.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    arguments = ["encode", tmp_path / "m", tmp_path / "queries.jsonl", "-o", tmp_path / "q.parquet", "--queries"]
    assert CliRunner().invoke(app, list(map(str, arguments))).exit_code == 0
    vectors, _ = read_vectors(tmp_path / "q.parquet")
    for vector, (ids, weights) in zip(vectors, encode_queries(model, QUERIES), strict=True):
        assert vector.token_ids.tolist() == ids.tolist()
        np.testing.assert_allclose(vector.weights, weights, atol=1e-6)


def test_the_score_that_explain_takes_apart_is_the_product_of_both_sides(model: SparseModel) -> None:
    size = len(model.idf)
    document = rows(encode_texts(model, TEXTS[:1], pruning=Pruning(top_k=30)), size)[0]
    query = rows(encode_queries(model, QUERIES[:1]), size)[0]
    found = explain(model, TEXTS[0], query=QUERIES[0])
    assert found.score == pytest.approx(float(document @ query), abs=1e-3)
    assert sum(match.score for match in found.matches) == pytest.approx(found.score, abs=1e-2)


def test_the_archive_for_queries_is_of_the_kind_that_the_model_asks_with(model: SparseModel, tmp_path: Path) -> None:
    export(model, tmp_path / "deploy", name="ko", texts=TEXTS, int8=True)
    files = {p.name for p in (tmp_path / "deploy").iterdir()}
    assert {"encoder.zip", "encoder.config.json", "document_encoder.onnx"} <= files
    assert ("tokenizer.zip" in files) == (model.query is None)
    assert ("query_encoder.zip" in files) == (model.query is not None and model.query is not model.bert)
    report = json.loads((tmp_path / "deploy" / "export_report.json").read_text(encoding="utf-8"))
    assert all(p["largest_difference"] <= 1e-4 for p in report["parity"] if p["tolerance"])


def test_inspect_looks_at_the_weights_that_queries_really_have(model: SparseModel) -> None:
    (check,) = [c for c in inspect(model, name="m", texts=TEXTS).checks if c.check == "query_ceiling"]
    if model.query is None:
        assert check.found == "2.50"
    else:
        top = max(float(weights.max()) for _, weights in encode_queries(model, TEXTS))
        assert check.found == f"{top:.2f}"


def test_onnxruntime_finds_the_same_documents(model: SparseModel, tmp_path: Path) -> None:
    write_model(model, tmp_path / "m")
    encoder = prepare(Side(model=tmp_path / "m", backend="onnx"), tmp_path / "work").open()
    pruning, size = Pruning(top_k=30), len(model.idf)
    found = rows(encoder.encode(TEXTS, pruning=pruning), size)
    np.testing.assert_allclose(found, rows(encode_texts(model, TEXTS, pruning=pruning), size), atol=1e-4)


def test_a_model_in_fp16_asks_as_before(model: SparseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparse_encoder.shrinking.BACKBONE_BYTES", 100_000)
    write_model(model, tmp_path / "m")
    shrink(tmp_path / "m", tmp_path / "small", largest_bytes=100_000_000)
    small, size = read_model(tmp_path / "small"), len(model.idf)
    assert small.layout == model.layout
    for found, wanted in (
        (encode_queries(small, QUERIES), encode_queries(model, QUERIES)),
        *((encode_texts(m, TEXTS, pruning=Pruning(top_k=size)) for m in (small, model)),),
    ):
        np.testing.assert_allclose(rows(found, size), rows(wanted, size), atol=5e-3)
    halved = [f for f in (tmp_path / "small").rglob("*.safetensors") if f.stat().st_size >= 50_000]
    assert len(halved) == (2 if model.layout.query_pooling else 1)
    theirs = SparseEncoder(str(tmp_path / "small"), device="cpu")
    queries = rows(encode_queries(small, QUERIES), size)
    np.testing.assert_allclose(theirs.encode_query(QUERIES).to_dense().numpy(), queries, atol=1e-5)


def test_the_card_tells_how_queries_are_encoded(model: SparseModel, tmp_path: Path) -> None:
    write_model(model, tmp_path / "m")
    data = Data(name="Docs", license="CC BY 4.0", attribution="the authors")
    text = card(tmp_path / "m", About(name="m", summary="s", license="mit", data=[data], limits=["small"]), {})
    assert ("- inference-free" in text) == (model.query is None)
    assert "| Document side | bert, 2 x 128 |" in text
    told = {None: "no network", model.bert: "| Query side | the same network |"}
    assert told.get(model.query, "| Query side | a network of its own, bert, 2 x 128 |") in text
    assert ("tokens times trained weights" in text) == model.trained_idf


SIDES = ["trained_idf", "same", "other"]


def recipe_of(data: Path, side: str, **changes: object) -> Recipe:
    recipe = read_recipe(data / "recipe.yaml")
    queries = Queries(side=side, learning_rate=0.05)
    model = msgspec.structs.replace(recipe.model, queries=queries, activation="double_log1p", lexical_channel=True)
    return msgspec.structs.replace(recipe, model=model, **changes)


@pytest.mark.parametrize("side", SIDES)
def test_training_leaves_a_model_that_asks_in_the_wanted_way(data: Path, side: str, tmp_path: Path) -> None:
    found = train(recipe_of(data, side, steps=3), work=tmp_path / "work", log=lambda line: None)
    model = found.model
    assert (model.query is None, model.query is model.bert) == (side == "trained_idf", side == "same")
    assert ("query_flops" in found.history[0]) == (side != "trained_idf")
    assert found.history[-1]["val_ndcg_at_10"] > 0
    write_model(model, tmp_path / "m")
    theirs = SparseEncoder(str(tmp_path / "m"), device="cpu", trust_remote_code=True)
    size = len(model.idf)
    documents = rows(encode_texts(model, TEXTS, pruning=Pruning(top_k=40)), size)
    np.testing.assert_allclose(theirs.encode_document(TEXTS).to_dense().numpy(), documents, atol=1e-5)
    queries = rows(encode_queries(model, QUERIES), size)
    np.testing.assert_allclose(theirs.encode_query(QUERIES).to_dense().numpy(), queries, atol=1e-5)


@pytest.mark.parametrize("side", SIDES)
def test_an_interrupted_run_ends_with_the_same_query_side(data: Path, side: str, tmp_path: Path) -> None:
    recipe = recipe_of(data, side)

    def stop_at_the_end(line: str) -> None:
        if line.startswith("step 6/6"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(recipe, work=tmp_path / "b", log=stop_at_the_end)
    resumed = train(recipe, work=tmp_path / "b", log=lambda line: None)
    undisturbed = train(recipe, work=tmp_path / "a", log=lambda line: None)
    assert resumed.history == undisturbed.history
    for one, other in zip(
        encode_queries(resumed.model, QUERIES), encode_queries(undisturbed.model, QUERIES), strict=True
    ):
        assert np.array_equal(one[0], other[0])
        assert np.array_equal(one[1], other[1])


def test_trained_weights_move_at_their_own_rate_and_special_ones_never() -> None:
    weights = TrainedIdf(torch.tensor([0.0, 2.0, 3.0]), scale=10.0)
    (gradient,) = torch.autograd.grad(weights()[1:].sum(), [weights.moved])
    assert gradient.tolist() == [0.0, 10.0, 10.0]
    AdamW([weights.moved], weight_decay=0.0).step([gradient], rate=0.01, number=1)
    torch.testing.assert_close(weights(), torch.tensor([0.0, 1.9, 2.9]))


def test_training_moves_the_weights_of_the_queries_tokens_alone(data: Path, tmp_path: Path) -> None:
    model = train(recipe_of(data, "trained_idf"), work=tmp_path, log=lambda line: None).model
    asked = {t for ids in model.vocabulary.encode(TRAINED_QUERIES, max_tokens=64, special=False) for t in ids}
    moved = set((model.idf != 2.0).nonzero().flatten().tolist()) - set(model.vocabulary.special_ids)
    assert moved
    assert moved <= asked


@pytest.mark.parametrize("side", ["idf", *SIDES])
def test_a_token_that_no_query_can_ask_for_is_never_in_a_document(data: Path, side: str, tmp_path: Path) -> None:
    """With an encoder for queries it is a token like any other, and trained."""
    idf = json.loads((data / "idf.json").read_text(encoding="utf-8")) | {"단어": 0.0}
    (tmp_path / "idf.json").write_text(json.dumps(idf, ensure_ascii=False), encoding="utf-8")
    recipe = recipe_of(data, side, columns=0)
    model = msgspec.structs.replace(recipe.model, idf=str(tmp_path / "idf.json"), lexical_gate=3.0)
    found = train(msgspec.structs.replace(recipe, model=model), work=tmp_path / "w", log=lambda line: None).model
    token = found.vocabulary.ids["단어"]
    bias = float(found.bert.output_bias().detach()[token])
    if side in ("same", "other"):
        assert -6 < bias < -5
        assert bias != -5.5
        return
    assert bias == -10_000
    (ids, _), *_ = encode_texts(found, ["단어 단어 단어"], pruning=Pruning(top_k=600))
    assert token not in ids


def test_a_start_whose_counts_know_a_token_forgets_it_where_no_query_can_ask_for_it(data: Path, tmp_path: Path) -> None:
    recipe = recipe_of(data, "idf", steps=1)
    first = train(recipe, work=tmp_path / "a", log=lambda line: None).model
    assert first.lexical is not None
    token = first.vocabulary.ids["단어"]
    assert float(first.lexical.gate.detach()[token]) > 0.5
    write_model(first, tmp_path / "first")
    idf = json.loads((data / "idf.json").read_text(encoding="utf-8")) | {"단어": 0.0}
    (tmp_path / "idf.json").write_text(json.dumps(idf, ensure_ascii=False), encoding="utf-8")
    start = str(tmp_path / "first" / INFERENCE_FREE.document)
    model = msgspec.structs.replace(recipe.model, idf=str(tmp_path / "idf.json"), start_from=start)
    further = train(msgspec.structs.replace(recipe, model=model), work=tmp_path / "b", log=lambda line: None).model
    (ids, _), *_ = encode_texts(further, ["단어 단어 단어"], pruning=Pruning(top_k=600))
    assert token not in ids


def test_weights_that_are_all_0_are_refused(data: Path, tmp_path: Path) -> None:
    idf = json.loads((data / "idf.json").read_text(encoding="utf-8"))
    (tmp_path / "idf.json").write_text(json.dumps(dict.fromkeys(idf, 0.0), ensure_ascii=False), encoding="utf-8")
    recipe = recipe_of(data, "idf")
    model = msgspec.structs.replace(recipe.model, idf=str(tmp_path / "idf.json"))
    with pytest.raises(InputError, match=r"idf\.json: every weight is 0; wanted weights above 0"):
        train(msgspec.structs.replace(recipe, model=model), work=tmp_path, log=lambda line: None)


def test_without_a_file_the_weights_are_counted_in_the_documents(vocabulary: Vocabulary) -> None:
    documents = vocabulary.encode(["검색 검색 문서", "검색"], max_tokens=9, special=True)
    idf = count_idf(documents, vocabulary)
    assert idf[vocabulary.ids["[CLS]"]] == 0.0
    assert idf[vocabulary.ids["검색"]] == pytest.approx(math.log(1 + 0.5 / 2.5))
    assert idf[vocabulary.ids["문서"]] == pytest.approx(math.log(1 + 1.5 / 1.5))


def test_gradients_in_pieces_reach_a_query_encoder_too(data: Path, tmp_path: Path) -> None:
    whole = train(recipe_of(data, "other", steps=2), work=tmp_path / "a", log=lambda line: None).model
    pieces = train(recipe_of(data, "other", steps=2, encode_at_once=3), work=tmp_path / "b", log=lambda line: None)
    for one, other in zip(whole.query.parameters(), pieces.model.query.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-3)


def test_a_start_for_a_second_encoder_that_is_not_there_is_refused(data: Path, tmp_path: Path) -> None:
    recipe = read_recipe(data / "recipe.yaml")
    model = msgspec.structs.replace(recipe.model, queries=Queries(side="same", start_from="x"))
    with pytest.raises(InputError, match="is a second encoder's; wanted 'side: other'"):
        train(msgspec.structs.replace(recipe, model=model), work=tmp_path, log=lambda line: None)


def test_a_start_is_lowered_to_so_many_terms(vocabulary: Vocabulary) -> None:
    bert = network(vocabulary, 3)
    with torch.no_grad():
        bert.output_bias().add_(4.0)
    documents = vocabulary.encode(TEXTS, max_tokens=64, special=True)
    lower_to(bert, documents, n_terms=5)
    with torch.no_grad():
        weights = Network(bert=bert, idf=ones(vocabulary)).weights(documents, None)
    assert abs(int((weights > 0).sum()) - 5 * len(TEXTS)) <= 1
