"""Tests of `passages`."""

from pathlib import Path

import pytest
from sparse_mining._files import InputError
from sparse_mining.passages import Passage, read_collection, read_queries


def test_the_golden_passages_are_read_with_their_documents(golden: Path) -> None:
    collection = read_collection(golden / "passages")
    assert collection.rows == {"doc-1#0": 0, "doc-1#1": 1, "doc-2#0": 2}
    assert [p.document_id() for p in collection.passages] == ["doc-1", "doc-1", "doc-2"]
    assert collection.full_texts()[2] == "Sparse retrieval\nA sparse vector keeps few terms."


def test_a_corpus_file_is_taken_for_its_folder(golden: Path) -> None:
    assert read_collection(golden / "passages" / "corpus.jsonl").ids() == read_collection(golden / "passages").ids()


def test_the_golden_queries_are_read(golden: Path) -> None:
    assert [q.id for q in read_queries(golden / "evaluation" / "queries.jsonl")] == ["q-1", "q-2"]


def test_a_passage_without_metadata_belongs_to_its_id_before_the_last_hash() -> None:
    assert Passage(id="c#/intro.md#4", text="").document_id() == "c#/intro.md"
    assert Passage(id="s0cb", text="").document_id() == "s0cb"


def test_a_bad_line_is_named_by_path_and_number(tmp_path: Path) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_text('{"_id":"a","text":"x"}\n{"_id":"b"}\n')
    with pytest.raises(InputError, match=r"corpus\.jsonl:2: 'text' is missing"):
        read_collection(file)


def test_an_id_met_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_text('{"_id":"a","text":"x"}\n{"_id":"a","text":"y"}\n')
    with pytest.raises(InputError, match="_id 'a' is met twice"):
        read_collection(file)


def test_an_empty_corpus_is_refused(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text("")
    with pytest.raises(InputError, match="holds no passage"):
        read_collection(tmp_path)


def test_a_folder_without_a_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no corpus\.jsonl"):
        read_collection(tmp_path)
