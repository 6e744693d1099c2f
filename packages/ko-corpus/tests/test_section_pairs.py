from pathlib import Path

import pytest
from ko_corpus._files import InputError, read_jsonl, write_jsonl
from ko_corpus.answers import Fields, answer_pair, answer_passage, read_answers
from ko_corpus.cli import app
from ko_corpus.documents import Document
from ko_corpus.pairs import Pair
from ko_corpus.passages import read_passages
from ko_corpus.section_pairs import (
    BOILERPLATE,
    WHOLE,
    Parallel,
    SectionPair,
    Sections,
    read_section_pairs,
    section_parallel,
    section_passages,
    section_queries,
)
from typer.testing import CliRunner


def section(doc_id: str, number: int, ko: str, en: str | None) -> SectionPair:
    return SectionPair(doc_id=doc_id, section=number, heading_ko=ko, heading_en=en, text="본문입니다.")


@pytest.fixture
def sections() -> Sections:
    """Two documents that share the heading 설명, one of which has a heading of its own."""
    return Sections(
        pairs=[
            section("docs/back-up-tables.md", 0, "백업 순서", "backup order"),
            section("docs/back-up-tables.md", 1, "설명", "remarks"),
            section("docs/join-hints.md", 0, "설명", "remarks"),
        ],
        documents={
            "docs/back-up-tables.md": Document(id="docs/back-up-tables.md", title="테이블 백업", text="", source="db"),
            "docs/join-hints.md": Document(id="docs/join-hints.md", title="조인 힌트", text=""),
        },
    )


def test_a_heading_asks_for_its_section_in_both_languages_after_the_title_where_it_is_not_the_only_one(
    sections: Sections,
) -> None:
    assert [(p.query_id, p.query, p.kind, p.language) for p in section_queries(sections, splits={})] == [
        ("docs/back-up-tables.md#0:heading_ko", "백업 순서", "heading", "ko"),
        ("docs/back-up-tables.md#0:heading_en", "backup order", "heading", "en"),
        ("docs/back-up-tables.md#0:title_ko", "테이블 백업", "title", "ko"),
        ("docs/back-up-tables.md#0:title_en", "back up tables", "title", "en"),
        ("docs/back-up-tables.md#1:heading_ko", "테이블 백업 설명", "heading", "ko"),
        ("docs/back-up-tables.md#1:heading_en", "back up tables remarks", "heading", "en"),
        ("docs/join-hints.md#0:heading_ko", "조인 힌트 설명", "heading", "ko"),
        ("docs/join-hints.md#0:heading_en", "join hints remarks", "heading", "en"),
        ("docs/join-hints.md#0:title_ko", "조인 힌트", "title", "ko"),
        ("docs/join-hints.md#0:title_en", "join hints", "title", "en"),
    ]


def test_a_title_asks_for_the_first_section_only_where_the_document_is_short() -> None:
    long = Sections(
        pairs=[section("a/b.md", n, f"제목 {n}", None) for n in range(WHOLE + 1)],
        documents={"a/b.md": Document(id="a/b.md", title="문서", text="")},
    )
    assert {pair.kind for pair in section_queries(long, splits={})} == {"heading"}


def test_a_heading_of_many_documents_asks_for_nothing_and_the_title_stands_in() -> None:
    names = [f"a/{n}.md" for n in range(BOILERPLATE + 1)]
    manuals = Sections(
        pairs=[section(name, n, heading, None) for name in names for n, heading in enumerate(["설명", "예제", "참고"])],
        documents={name: Document(id=name, title=f"함수 {name}", text="") for name in names},
    )
    queries = [pair.query for pair in section_queries(manuals, splits={}) if pair.language == "ko"]
    assert queries == [f"함수 {name}" for name in names]


def test_a_query_that_asks_for_two_sections_is_left_out() -> None:
    twice = Sections(pairs=[section("a.md", 0, "예제", None), section("a.md", 1, "예제", None)], documents={})
    assert list(section_queries(twice, splits={})) == []


def test_passages_carry_title_heading_and_source(sections: Sections) -> None:
    first = next(section_passages(sections))
    assert (first.id, first.title, first.metadata.heading, first.metadata.source) == (
        "docs/back-up-tables.md#0",
        "테이블 백업",
        "백업 순서",
        "db",
    )


def test_titles_and_headings_are_parallel_text(sections: Sections) -> None:
    assert [(p.ko, p.en) for p in section_parallel(sections)] == [
        ("테이블 백업", "back up tables"),
        ("백업 순서", "backup order"),
        ("설명", "remarks"),
        ("조인 힌트", "join hints"),
        ("설명", "remarks"),
    ]


def test_a_section_without_text_is_passed_over_and_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sections.jsonl"
    path.write_text('{"doc_id": "a", "section": 0, "text": " "}\n{"doc_id": "a"}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"sections\.jsonl:2: .*section"):
        list(read_section_pairs(path))


def test_records_under_other_names_become_passages_and_pairs(tmp_path: Path) -> None:
    path = tmp_path / "law.jsonl"
    path.write_text('{"id": 7, "issue": "해지할 수\\n있는지", "ruling": "있다.", "title": "해지"}\n', encoding="utf-8")
    (answer,) = read_answers(path, Fields(query="issue", text="ruling"), prefix="law/")
    pair = answer_pair(answer, source="law", splits={"law/7": "val"})
    assert (pair.query_id, pair.query, pair.doc_id, pair.split) == (
        "law/7#0:question",
        "해지할 수 있는지",
        "law/7#0",
        "val",
    )
    assert (answer_passage(answer, source="law").title, answer_passage(answer, source="law").text) == ("해지", "있다.")


def test_a_record_without_the_field_is_named(tmp_path: Path) -> None:
    path = tmp_path / "law.jsonl"
    path.write_text('{"query": "가", "text": "나"}\n{"query": "가", "body": "나"}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"record 2 has no text 'text'; it has body, query"):
        list(read_answers(path, Fields(), prefix=""))


def test_the_golden_sections_are_written_as_they_were_read(golden: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "s.jsonl", read_section_pairs(golden / "section_pairs.jsonl"))
    assert (tmp_path / "s.jsonl").read_bytes() == (golden / "section_pairs.jsonl").read_bytes()


def test_the_golden_parallel_text_is_written_as_it_was_read(golden: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "p.jsonl", read_jsonl(golden / "parallel.jsonl", Parallel))
    assert (tmp_path / "p.jsonl").read_bytes() == (golden / "parallel.jsonl").read_bytes()


def test_both_commands_write_passages_and_pairs_that_point_at_each_other(golden: Path, tmp_path: Path) -> None:
    (tmp_path / "law.jsonl").write_text('{"query": "해지할 수 있는가", "text": "있다."}\n', encoding="utf-8")
    commands = (
        ["sections", str(golden / "section_pairs.jsonl"), str(golden / "documents.jsonl")],
        ["answers", str(tmp_path / "law.jsonl"), "--name", "law"],
    )
    for number, command in enumerate(commands):
        passages, pairs = tmp_path / str(number), tmp_path / f"{number}.jsonl"
        result = CliRunner().invoke(app, [*command, "-o", str(passages), "--pairs", str(pairs)], catch_exceptions=False)
        assert result.exit_code == 0
        ids = {passage.id for passage in read_passages(passages)}
        asked = {pair.doc_id for pair in read_jsonl(pairs, Pair)}
        assert asked
        assert asked <= ids
