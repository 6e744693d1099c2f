from pathlib import Path

import pytest
from ko_corpus import Passage, PassageMetadata, make_pairs, read_passages
from ko_corpus._files import write_jsonl
from ko_corpus.pairs import Pair, PairKind, heading_query, parse_kinds


def passage(passage_id: str, text: str, *, title: str = "", heading: str = "") -> Passage:
    metadata = PassageMetadata(document_id=passage_id.partition("#")[0], heading=heading, language="ko")
    return Passage(id=passage_id, title=title, text=text, metadata=metadata)


def found(passages: list[Passage], *kinds: PairKind) -> list[tuple[str, str]]:
    return [(pair.query_id, pair.query) for pair in make_pairs(passages, kinds=kinds)]


def test_the_golden_passages_ask_the_golden_pairs(golden: Path, tmp_path: Path) -> None:
    passages = read_passages(golden / "passages")
    write_jsonl(tmp_path / "pairs.jsonl", make_pairs(passages, kinds=("title", "heading"), splits={"doc-2": "val"}))
    assert (tmp_path / "pairs.jsonl").read_bytes() == (golden / "pairs.jsonl").read_bytes()


def test_a_title_asks_for_the_first_passage_only() -> None:
    passages = [passage("a#0", "가", title="희소 검색"), passage("a#1", "나", title="희소 검색")]
    assert found(passages, "title") == [("a#0:title", "희소 검색")]


def test_a_heading_asks_for_the_first_passage_of_its_section() -> None:
    passages = [passage(f"a#{k}", "가", title="제목", heading="색인") for k in range(2)]
    assert found(passages, "heading") == [("a#0:heading", "제목 색인")]


def test_a_heading_is_a_query_alone_only_if_it_is_specific() -> None:
    long = "역색인을 작게 압축하는 방법"
    assert heading_query("희소 검색", long) == long
    assert heading_query("희소 검색", long, generic=frozenset({long})) == f"희소 검색 {long}"
    assert heading_query("희소 검색", "색인 > 압축") == "희소 검색 압축"
    assert heading_query("희소 검색", "희소 검색") == "희소 검색"
    assert heading_query("", "색인 > 압축") == "색인 압축"


def test_a_heading_that_many_documents_have_goes_with_the_title() -> None:
    heading = "더 읽어 볼 만한 글"
    passages = [passage(f"{d}#0", "가", title=f"제목 {d}", heading=heading) for d in "ab"]
    assert found(passages, "heading") == [("a#0:heading", f"제목 a {heading}"), ("b#0:heading", f"제목 b {heading}")]


def test_the_first_of_several_sentences_asks_for_its_passage() -> None:
    text = "역색인은 단어에서 문서로 간다. 그래서 빠르다."
    assert found([passage("a#0", text), passage("a#1", "한 문장뿐인 문단이다.")], "first_sentence") == [
        ("a#0:first_sentence", "역색인은 단어에서 문서로 간다.")
    ]


def test_a_query_that_asks_for_two_passages_is_left_out() -> None:
    passages = [
        passage("a#0", "가", title="개요"),
        passage("b#0", "나", title="개요"),
        passage("c#0", "다", title="색인"),
    ]
    assert found(passages, "title") == [("c#0:title", "색인")]


def test_one_query_for_one_passage_is_written_once() -> None:
    sentence = "역색인은 단어에서 문서로 간다."
    assert found([passage("a#0", f"{sentence} 빠르다.", title=sentence)], "title", "first_sentence") == [
        ("a#0:title", sentence)
    ]


def test_an_untitled_corpus_has_no_title_pairs() -> None:
    assert list(make_pairs([passage("a#0", "가")])) == []


def test_a_pair_takes_the_split_of_its_document() -> None:
    pairs = make_pairs([passage("a#0", "가", title="색인")], splits={"a": "test"})
    assert list(pairs) == [
        Pair(query_id="a#0:title", query="색인", doc_id="a#0", kind="title", language="ko", split="test")
    ]


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match="'titel' is no kind of pair; wanted any of title, heading, first_sentence"):
        parse_kinds("titel,heading")
