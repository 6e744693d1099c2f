"""The dictionary file: golden bytes, agreement with its evidence, edits by hand."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ko_synonyms._files import InputError, read_jsonl, write_jsonl
from ko_synonyms.dictionary import (
    as_dictionary,
    read_dictionary,
    read_evidence,
    read_synonyms,
    write_dictionary,
    write_evidence,
)
from ko_synonyms.exports import solr_lines
from ko_synonyms.records import Candidate, CuratedPair, Pair, Synonym, TermPair, Verdict, read_curated, read_passages


def test_the_golden_dictionary_is_read_and_written_unchanged(golden: Path, tmp_path: Path) -> None:
    source = golden / "bilingual_synonyms.json"
    write_dictionary(tmp_path / "out.json", read_dictionary(source))
    assert (tmp_path / "out.json").read_bytes() == source.read_bytes()


def test_the_golden_evidence_gives_the_golden_dictionary(golden: Path, tmp_path: Path) -> None:
    entries = read_evidence(golden / "bilingual_synonyms.evidence.jsonl")
    assert as_dictionary(entries) == read_dictionary(golden / "bilingual_synonyms.json")
    write_evidence(tmp_path / "out.jsonl", entries)
    assert (tmp_path / "out.jsonl").read_bytes() == (golden / "bilingual_synonyms.evidence.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("synonym_candidates.jsonl", Candidate),
        ("synonym_verdicts.jsonl", Verdict),
        ("term_pairs.jsonl", TermPair),
        ("pairs.jsonl", Pair),
        ("curated_synonyms.jsonl", CuratedPair),
    ],
)
def test_golden_lines_are_read_and_written_unchanged(golden: Path, tmp_path: Path, name: str, kind: type) -> None:
    write_jsonl(tmp_path / name, read_jsonl(golden / name, kind))
    assert (tmp_path / name).read_bytes() == (golden / name).read_bytes()


def test_the_golden_dictionary_gives_the_golden_solr_rules(golden: Path) -> None:
    rules = "".join(f"{line}\n" for line in solr_lines(read_dictionary(golden / "bilingual_synonyms.json")))
    assert rules == (golden / "synonyms.txt").read_text(encoding="utf-8")


def test_golden_passages_are_read(golden: Path) -> None:
    passages = list(read_passages(golden / "passages"))
    assert [(p.id, p.title) for p in passages[:2]] == [("doc-1#0", "희소 검색"), ("doc-1#1", "희소 검색")]
    assert passages == list(read_passages(golden / "passages" / "corpus.jsonl"))


@given(st.lists(st.tuples(st.sampled_from("가나다라"), st.sampled_from("abcd"), st.floats(0, 1)), max_size=12))
def test_a_dictionary_holds_every_pair_in_both_directions(rows: list[tuple[str, str, float]]) -> None:
    entries = [Synonym(ko=ko, en=en, confidence=sure, evidence=()) for ko, en, sure in rows]
    dictionary = as_dictionary(entries)
    assert {(t, o) for t, others in dictionary.items() for o in others} == {
        pair for s in entries for pair in ((s.ko, s.en), (s.en, s.ko))
    }


def test_a_pair_written_in_by_hand_is_sure_and_one_taken_out_stays_out(golden: Path, tmp_path: Path) -> None:
    edited = tmp_path / "edited.json"
    write_dictionary(edited, {"검색": ["search"], "문서": ["document"]})
    entries = read_synonyms(edited, golden / "bilingual_synonyms.evidence.jsonl")
    assert [(s.ko, s.en, s.confidence, s.evidence[0].kind) for s in entries] == [
        ("검색", "search", 0.95, "curated"),
        ("문서", "document", 1.0, "dictionary"),
    ]


def test_two_terms_of_one_language_are_refused_by_name(tmp_path: Path) -> None:
    write_dictionary(tmp_path / "s.json", {"검색": ["탐색"]})
    with pytest.raises(InputError, match=r"s\.json: '검색': \['탐색'\]: wanted a Korean and an English term"):
        read_synonyms(tmp_path / "s.json", None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"ko":"search","en":"search"}', "record 1: 'ko' is 'search': wanted a term with Hangul"),
        ('{"ko":"검색","en":"검색"}', "record 1: 'en' is '검색': wanted a term without Hangul"),
        ('{"ko":"검색","en":"search"}\n{"ko":"검색","en":"search"}', "record 2: '검색' = 'search' is there twice"),
        ('{"ko":"검색"}', "c.jsonl:1: 'en' is missing"),
    ],
)
def test_a_bad_line_of_a_curated_list_is_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "c.jsonl").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_curated(tmp_path / "c.jsonl")
    assert message in str(error.value)


def test_the_samples_curated_list_is_valid_and_long_enough() -> None:
    curated = read_curated(Path(__file__).parents[3] / "datasets" / "sample" / "synonyms.jsonl")
    assert len(curated) == 40
    assert (curated[0].ko, curated[0].en) == ("검색 엔진", "search engine")
    assert (curated[9].ko, curated[9].en) == ("배포", "deployment")
    assert (curated[39].ko, curated[39].en) == ("냉장고", "refrigerator")
