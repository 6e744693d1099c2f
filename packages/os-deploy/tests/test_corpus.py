"""Passages and vectors go in step, or nothing goes."""

import json
from pathlib import Path

import pytest
from exports import make_tokenizer, write_passages, write_vectors
from os_deploy import InputError
from os_deploy.corpus import Corpus
from os_deploy.tokens import ServerTokenizer


def make_corpus(folder: Path, n_passages: int = 4, field: str = "rank_features") -> Corpus:
    passages = write_passages(folder / "passages", n_passages)
    vectors = write_vectors(folder / "vectors.jsonl", passages)
    tokenizer = ServerTokenizer(make_tokenizer().to_str().encode(), "tokenizer.json")
    return Corpus(passages=passages, vectors=vectors, tokenizer=tokenizer, field=field)


def test_a_survey_counts_and_finds_the_largest_weight(tmp_path: Path) -> None:
    survey = make_corpus(tmp_path).survey()
    assert (survey.n_passages, survey.max_weight) == (4, 2.5)


def test_documents_carry_text_and_vector_by_decoded_token(tmp_path: Path) -> None:
    first = next(make_corpus(tmp_path).documents())
    source = json.loads(first.source)
    assert (first.doc_id, source["title"], source["vector"]["희소"]) == ("doc-0#0", "희소 검색", 2.25)


def test_a_sparse_vector_field_gets_ids(tmp_path: Path) -> None:
    source = json.loads(next(make_corpus(tmp_path, field="sparse_vector").documents()).source)
    assert source["vector"]["5"] == 2.25


def test_vectors_in_another_order_are_refused(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path)
    assert corpus.vectors is not None
    lines = corpus.vectors.read_text(encoding="utf-8").splitlines(keepends=True)
    corpus.vectors.write_text("".join(reversed(lines)), encoding="utf-8")
    with pytest.raises(InputError, match="row 1: found 'doc-0#3', wanted the vector of passage 'doc-0#0'"):
        corpus.survey()


@pytest.mark.parametrize(
    ("kept", "message"), [(3, "row 4: found no more vectors"), (5, "found 'doc-1#0' after the last of 4")]
)
def test_too_few_and_too_many_vectors_are_refused(tmp_path: Path, kept: int, message: str) -> None:
    corpus = make_corpus(tmp_path, 5)
    assert corpus.vectors is not None
    lines = corpus.vectors.read_text(encoding="utf-8").splitlines(keepends=True)
    corpus.vectors.write_text("".join(lines[:kept]), encoding="utf-8")
    write_passages(tmp_path / "passages", 4)
    with pytest.raises(InputError, match=message):
        corpus.survey()


def test_an_empty_corpus_and_a_repeated_id_are_refused(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 2)
    path = tmp_path / "passages/corpus.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(lines[0] * 2, encoding="utf-8")
    vectors = tmp_path / "vectors.jsonl"
    vectors.write_text(vectors.read_text(encoding="utf-8").splitlines(keepends=True)[0] * 2, encoding="utf-8")
    with pytest.raises(InputError, match="found the _id 'doc-0#0' twice"):
        corpus.survey()
    path.write_text("")
    vectors.write_text("")
    with pytest.raises(InputError, match="found no passage"):
        corpus.survey()
