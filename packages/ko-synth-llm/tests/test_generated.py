"""Answers of paraphrase, documents and hard_negatives become pairs and passages with ids of their own."""

from pathlib import Path

import msgspec
import pytest
from ko_synth_llm import InputError
from ko_synth_llm._files import read_jsonl, write_jsonl
from ko_synth_llm.cli_convert import convert_command
from ko_synth_llm.generated import NewPassage
from ko_synth_llm.outcomes import Answered, Rejected, Usage
from ko_synth_llm.pairs import Pair, read_passages

GOLDEN = Path(__file__).parents[3] / "docs/formats/golden"
TEXT = "역색인(inverted index)은 단어마다 그 단어가 나오는 문서의 목록을 적어 둔 구조로, 책 뒤의 찾아보기와 같다."


def answers(path: Path, task: str, **found: object) -> Path:
    lines = [
        Answered(
            id=f"{name.replace('__', ':').replace('_', '-').replace('n', '#', 1)}#1",
            record_id=name.replace("__", ":").replace("_", "-").replace("n", "#", 1),
            task=task,
            task_version="1",
            model="tiny",
            prompt_sha256="0" * 64,
            answer=answer,
            usage=Usage(),
            finish_reason="stop",
        )
        for name, answer in found.items()
    ]
    write_jsonl(path, lines)
    return path


def test_rewordings_become_pairs_of_the_same_passage_and_split(tmp_path: Path) -> None:
    ways = [("shorten", "sparse 검색 weight"), ("synonym", "희소  검색"), ("code_mixed", "sparse retrieval 뜻")]
    found = {"paraphrases": [{"way": way, "query": query} for way, query in ways]}
    source = answers(tmp_path / "a.jsonl", "paraphrase", doc_1n0__title=found)
    convert_command(source, tmp_path / "p.jsonl", GOLDEN / "pairs.jsonl", None)
    pairs = list(read_jsonl(tmp_path / "p.jsonl", Pair))
    assert [(pair.query_id, pair.query, pair.language) for pair in pairs] == [
        ("doc-1#0:title:paraphrase:1.1", "sparse 검색 weight", "ko"),
        ("doc-1#0:title:paraphrase:1.3", "sparse retrieval 뜻", "mixed"),
    ]
    assert {(pair.doc_id, pair.kind, pair.split) for pair in pairs} == {("doc-1#0", "paraphrase", "train")}
    (reject,) = read_jsonl(tmp_path / "p.rejected.jsonl", Rejected)
    assert (reject.id, reject.reason) == ("doc-1#0:title:paraphrase:1.2", "duplicate")


def test_a_rewording_of_an_english_query_is_measured_in_words(tmp_path: Path) -> None:
    queries = ["sparse " * 20, "sparse " * 21]
    found = {"paraphrases": [{"way": "situation", "query": query} for query in queries]}
    source = answers(tmp_path / "a.jsonl", "paraphrase", doc_2n0__title=found)
    convert_command(source, tmp_path / "p.jsonl", GOLDEN / "pairs.jsonl", None)
    assert [pair.language for pair in read_jsonl(tmp_path / "p.jsonl", Pair)] == ["en"]
    (reject,) = read_jsonl(tmp_path / "p.rejected.jsonl", Rejected)
    assert (reject.reason, reject.detail) == ("length", "21 words, wanted 2 to 20")


def test_written_documents_become_passages_with_ids_of_their_own_and_pairs(tmp_path: Path) -> None:
    found = {"title": "역색인", "text": TEXT}
    source = answers(tmp_path / "a.jsonl", "documents", doc_1n1__heading=found, doc_1n0__title=found)
    convert_command(source, tmp_path / "new", GOLDEN / "pairs.jsonl", GOLDEN / "passages")
    assert list(read_passages(tmp_path / "new")) == [
        "doc-1#0", "doc-1#1", "doc-2#0", "doc-1#1:heading:document:1#0",
    ]  # fmt: skip
    (pair,) = read_jsonl(tmp_path / "new/pairs.jsonl", Pair)
    assert (pair.query_id, pair.query, pair.doc_id, pair.kind) == (
        "doc-1#1:heading:document:1",
        "희소 검색 색인",
        "doc-1#1:heading:document:1#0",
        "synthetic",
    )
    (reject,) = read_jsonl(tmp_path / "new/rejected.jsonl", Rejected)
    assert (reject.reason, reject.detail) == ("near_duplicate", "nearly equal to doc-1#1:heading:document:1")
    made = msgspec.json.decode((tmp_path / "new.manifest.json").read_bytes())
    assert (made["counts"], made["outputs"][0]["format"]) == ({"passages": 1, "pairs": 1, "rejected": 1}, "passages")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TEXT, ""),
        ("역색인(inverted index)은 단어에서 문서로 가는 길이다.", "copied"),
        ("이 글에서는 색인의 구조를 다루지 않고 검색 엔진의 역사만을 간단히 살펴본다.", "points_at_text"),
        ("An inverted index maps each term to the documents that hold it.", "script"),
    ],
)
def test_a_negative_is_a_passage_unless_it_repeats_the_positive(tmp_path: Path, text: str, reason: str) -> None:
    source = answers(tmp_path / "a.jsonl", "hard_negatives", doc_1n1__heading={"reason": "다른 측면", "text": text})
    convert_command(source, tmp_path / "new", GOLDEN / "groups.jsonl", None)
    assert [line.reason for line in read_jsonl(tmp_path / "new/rejected.jsonl", Rejected)] == [reason] * bool(reason)
    kept = list(read_jsonl(tmp_path / "new/corpus.jsonl", NewPassage))
    assert [line.id for line in kept] == ["doc-1#1:heading:negative:1#0"] * (not reason)


def test_answers_of_another_task_are_refused_with_the_command_that_reads_them(tmp_path: Path) -> None:
    source = answers(tmp_path / "a.jsonl", "queries", x={"queries": []})
    with pytest.raises(InputError, match=r"'queries', wanted paraphrase.*ko-synth-llm filter reads these"):
        convert_command(source, tmp_path / "p.jsonl", GOLDEN / "pairs.jsonl", None)
