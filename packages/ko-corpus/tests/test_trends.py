import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ko_corpus import Document, InputError, TrendOptions, Trends, find_trends, read_documents, read_trends
from ko_corpus._files import write_json
from ko_corpus.trends import recent_window, stratified_z

SAMPLE_TOPICS = {
    "멀티벡터",
    "에이전트 검색",
    "웹어셈블리",
    "소형 언어 모델",
    "전고체 배터리",
    "핵융합",
    "수중 고고학",
    "디지털 복원",
    "모바일 신분증",
    "전세보증",
    "온열질환",
    "비만 치료제",
    "스테이블코인",
    "조각투자",
    "버추얼 아이돌",
    "러닝 크루",
    "식집사",
    "무지출 챌린지",
}


def dated(number: int, month: str, text: str, *, source: str = "s") -> Document:
    return Document(id=f"d{number}", text=text, published=f"{month}-15", source=source)


def corpus(recent: list[str], before: list[str], *, filler: int = 40) -> list[Document]:
    """The texts, among `filler` documents of each window that speak of the weather."""
    texts = [("2026-10", text) for text in recent] + [("2025-10", text) for text in before]
    texts += [(month, "날씨가 맑았다.") for month in ("2026-10", "2025-10") for _ in range(filler)]
    return [dated(number, month, text) for number, (month, text) in enumerate(texts)]


def test_the_golden_trends_keep_their_values(golden: Path, tmp_path: Path) -> None:
    write_json(tmp_path / "trends.json", read_trends(golden / "trends.json"))
    assert json.loads((tmp_path / "trends.json").read_text()) == json.loads((golden / "trends.json").read_text())


def test_a_newer_version_is_refused_by_name(golden: Path, tmp_path: Path) -> None:
    newer = msgspec.structs.replace(read_trends(golden / "trends.json"), version=2)
    write_json(tmp_path / "trends.json", newer)
    with pytest.raises(InputError, match="'trends' has version 2, newer than 1"):
        read_trends(tmp_path / "trends.json")


def test_a_new_compound_rises_whole_and_not_in_parts() -> None:
    found = find_trends(corpus(["수중 고고학을 다룬다."] * 8, []))
    assert [(t.term, t.n_recent, t.n_before) for t in found.terms] == [("수중 고고학", 8, 0)]
    assert (found.recent_from, found.recent_to) == ("2026-07-01", "2026-10-31")


def test_a_part_that_rises_by_itself_stays_beside_the_compound() -> None:
    recent = ["수중 고고학을 다룬다."] * 9 + ["고고학을 다룬다."] * 9
    assert {t.term for t in find_trends(corpus(recent, [])).terms} == {"수중 고고학", "고고학"}


def test_what_is_now_and_then_said_of_a_new_thing_is_no_term_of_its_own() -> None:
    recent = ["스테이블코인을 다룬다."] * 12 + ["스테이블코인 시장을 다룬다."] * 5
    assert [t.term for t in find_trends(corpus(recent, [])).terms] == ["스테이블코인"]


def test_two_new_things_side_by_side_are_no_third() -> None:
    recent = ["온열질환 예방을 다룬다.", "온열질환을 다룬다.", "예방을 다룬다."] * 5
    assert {t.term for t in find_trends(corpus(recent, [])).terms} == {"온열질환", "예방"}


def test_the_spelling_is_the_most_frequent_one() -> None:
    found = find_trends(corpus(["전세 보증을 든다."] * 3 + ["전세보증을 든다."] * 5, []))
    assert [(t.term, t.n_recent) for t in found.terms] == [("전세보증", 8)]


def test_what_was_always_said_does_not_rise() -> None:
    assert find_trends(corpus(["김치를 담근다."] * 8, ["김치를 담근다."] * 8)).terms == []


def test_what_falls_does_not_rise() -> None:
    assert "김치" not in {t.term for t in find_trends(corpus([], ["김치를 담근다."] * 8)).terms}


def test_two_documents_are_no_trend() -> None:
    assert find_trends(corpus(["김치를 담근다."] * 2, []), TrendOptions(min_z=0.1)).terms == []


def test_a_source_that_only_wrote_more_of_late_makes_no_trend() -> None:
    farm = [dated(n, "2026-10", "벼를 심는다.", source="농업") for n in range(40)]
    farm += [dated(n, "2025-10", "벼를 심는다.", source="농업") for n in range(100, 110)]
    city = [
        dated(n, month, "지하철을 탄다.", source="도시") for n, month in enumerate(["2026-10", "2025-10"] * 40, 200)
    ]
    assert find_trends(farm + city).terms == []


def test_undated_documents_do_not_count() -> None:
    documents = corpus(["핵융합을 다룬다."] * 8, [])
    undated = [Document(id=f"u{n}", text="양자를 다룬다.") for n in range(9)]
    assert find_trends(documents + undated) == find_trends(documents)


def test_a_corpus_without_dates_has_no_trends_and_no_window() -> None:
    found = find_trends([Document(id="a", text="핵융합")])
    assert (found.recent_from, found.recent_to, found.terms) == (None, None, [])


def test_a_corpus_of_one_window_has_no_trends() -> None:
    assert find_trends([dated(n, "2026-10", "핵융합을 다룬다.") for n in range(20)]).terms == []


def test_boosts_grow_with_z_and_stay_within_the_bound() -> None:
    found = find_trends(corpus(["핵융합을 다룬다."] * 60, []), TrendOptions(max_boost=1.2))
    assert [t.boost for t in found.terms] == [1.2]
    assert all(1 < t.boost < 1.5 for t in find_trends(corpus(["핵융합을 다룬다."] * 8, [])).terms)


def test_options_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        TrendOptions(recent_months=0)


def test_the_window_counts_months_across_years() -> None:
    assert recent_window(["2026-02-10"], months=1) == ("2026-02-01", "2026-02-28")
    assert recent_window(["2026-02-10"], months=14) == ("2025-01-01", "2026-02-28")


@given(st.lists(st.tuples(*[st.integers(0, 9)] * 2, *[st.integers(9, 30)] * 2), max_size=4))
def test_swapping_the_windows_turns_the_sign(tables: list[tuple[int, int, int, int]]) -> None:
    swapped = [(b, a, n_b, n_a) for a, b, n_a, n_b in tables]
    assert stratified_z(tables) == pytest.approx(-stratified_z(swapped))


def test_every_topic_that_rises_in_the_sample_is_found(repository: Path) -> None:
    found: Trends = find_trends(read_documents([repository / "datasets" / "sample" / "documents"]))
    assert SAMPLE_TOPICS - {t.term for t in found.terms} == set()
