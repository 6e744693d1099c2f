"""BEIR folders and TREC runs."""

from pathlib import Path

import pytest
from os_deploy import InputError
from os_deploy.passages import read_passages, read_qrels, read_queries, read_run, write_run

GOLDEN = Path(__file__).parents[3] / "docs/formats/golden"


def test_the_golden_passages_are_read_from_folder_and_file() -> None:
    ids = ["doc-1#0", "doc-1#1", "doc-2#0"]
    assert [p.doc_id for p in read_passages(GOLDEN / "passages")] == ids
    assert [p.doc_id for p in read_passages(GOLDEN / "passages/corpus.jsonl")] == ids


def test_the_golden_queries_and_judgements_are_read() -> None:
    assert [(q.query_id, q.metadata["lang"]) for q in read_queries(GOLDEN / "evaluation/queries.jsonl")] == [
        ("q-1", "ko"),
        ("q-2", "en"),
    ]
    assert read_qrels(GOLDEN / "evaluation/qrels/test.tsv") == {"q-1": {"doc-1#1": 1}, "q-2": {"doc-2#0": 1}}


def test_the_golden_run_comes_back_byte_for_byte(tmp_path: Path) -> None:
    write_run(tmp_path / "again.trec", read_run(GOLDEN / "run.trec"), name="bm25")
    assert (tmp_path / "again.trec").read_bytes() == (GOLDEN / "run.trec").read_bytes()


def test_a_passage_with_an_empty_id_is_named(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"_id":"a","text":"x"}\n{"_id":"","text":"x"}\n')
    with pytest.raises(InputError, match=r"corpus\.jsonl: passage 2: found an empty _id"):
        list(read_passages(tmp_path))


@pytest.mark.parametrize("line", ["q-1\td-1", "q-1\td-1\tyes", "q-1 d-1 1"])
def test_a_bad_judgement_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{line}\n")
    with pytest.raises(InputError, match=r"test\.tsv:2: found"):
        read_qrels(tmp_path / "test.tsv")
