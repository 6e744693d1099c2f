"""Each filter on queries as models write them, and the order in which they object."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ko_synth_llm.filters import Bounds, Passage, Query, QueryFilters, Reranked, RoundTrip
from ko_synth_llm.near import NearTexts
from ko_synth_llm.scripts import copied_span, shingles, squeezed

PASSAGE = Passage(
    doc_id="d#0",
    title="SSH 접속",
    text="개인 키 파일의 권한이 600보다 느슨하면 클라이언트가 접속을 거부하므로 chmod 600으로 고쳐야 한다.",
)


def objection(style: str, text: str) -> str:
    return QueryFilters(Bounds(), [PASSAGE]).objection(Query(query_id="q", style=style, text=text), PASSAGE)[0]


@pytest.mark.parametrize(
    ("style", "text", "reason"),
    [
        ("keyword", "SSH 개인 키 권한 오류", ""),
        ("colloquial", "서버 접속하려는데 키 파일 때문에 튕겨요, 어떡하죠?", ""),
        ("code_mixed", "private key 권한은 얼마로 둬야 해?", ""),
        ("english", "ssh private key permissions too open", ""),
        ("keyword", "키", "length"),
        ("english", "permissions", "length"),
        ("question", "왜 private key permission 때문에 거부되는가?", "script"),
        ("code_mixed", "개인 키 권한은 얼마로 둬야 하나요?", "script"),
        ("question", "개인 키의 权限은 얼마로 둬야 하나요?", "script"),
        ("english", "ssh 개인 키 permissions", "script"),
        ("question", "이 글에서 말하는 권한은 무엇인가요?", "points_at_text"),
        ("question", "위 문단에 따르면 접속은 왜 거부되나요?", "points_at_text"),
        ("english", "according to the passage why is it refused", "points_at_text"),
        ("question", "다음 중 키 파일의 권한으로 옳은 것은?", "unanswerable"),
        ("question", "장점은 무엇인가요?", "generic"),
        ("english", "what is the difference", "generic"),
        ("question", "개인 키 파일의 권한이 600보다 느슨하면?", "copied"),
    ],
)
def test_a_query_is_judged(style: str, text: str, reason: str) -> None:
    assert objection(style, text) == reason


@pytest.mark.parametrize("text", ["이 글꼴은 어디서 내려받나요?", "문서화 도구 추천", "자료형 변환 오류 해결"])
def test_words_that_only_look_like_the_text_itself_pass(text: str) -> None:
    assert objection("question", text) == ""


def test_an_author_who_is_asked_about_passes() -> None:
    assert objection("english", "self-publishing costs the author has to cover") == ""


def test_equal_and_nearly_equal_queries_are_kept_once_across_passages() -> None:
    filters = QueryFilters(Bounds(), [PASSAGE])
    filters.keep(Query(query_id="first", style="question", text="키 파일 권한은 얼마로 해야 안전한가요?"))
    for text, reason in (
        ("키파일 권한은 얼마로 해야 안전한가요", "duplicate"),
        ("키 파일 권한은 얼마로 해야 안전한가?", "near_duplicate"),
        ("공개 키는 어디에 적어 두나요?", ""),
    ):
        assert filters.objection(Query(query_id="q", style="question", text=text), PASSAGE)[0] == reason


def test_a_crowd_of_similar_queries_is_stopped_at_its_limit() -> None:
    filters = QueryFilters(Bounds(max_crowd=1), [PASSAGE])
    filters.keep(Query(query_id="first", style="keyword", text="키 파일 권한 설정 방법"))
    found = filters.objection(Query(query_id="q", style="keyword", text="키 파일 권한 설정 오류"), PASSAGE)
    assert found == ("crowded", "like 1 others, such as first")


def test_a_round_trip_must_end_among_the_first_k() -> None:
    round_trip = RoundTrip({("q", "d#0"): 3}, 10)
    query = Query(query_id="q", style="keyword", text="키")
    assert round_trip(query, PASSAGE) == ""
    assert RoundTrip({("q", "d#0"): 11}, 10)(query, PASSAGE) == "its passage is at rank 11, wanted 10 or better"
    assert RoundTrip({}, 10)(query, PASSAGE) == "the search did not find its passage"


def test_a_reranker_must_score_at_least_the_minimum() -> None:
    query = Query(query_id="q", style="keyword", text="키")
    assert Reranked({("q", "d#0"): 0.7}, 0.5)(query, PASSAGE) == ""
    assert Reranked({("q", "d#0"): 0.4}, 0.5)(query, PASSAGE) == "score 0.4, wanted 0.5"


texts = st.text(alphabet="가나다 ab", max_size=12)


@given(st.lists(texts, max_size=12), texts)
def test_near_texts_are_those_that_comparing_all_finds(others: list[str], text: str) -> None:
    near = NearTexts(0.6)
    for number, other in enumerate(others):
        near.add(str(number), other)
    own = shingles(text)
    wanted = [
        str(number)
        for number, other in enumerate(others)
        if len(own & shingles(other)) / len(own | shingles(other)) >= 0.6
    ]
    assert near.find(text) == wanted


@given(texts, texts)
def test_a_copied_span_is_in_both_texts(query: str, passage: str) -> None:
    span = copied_span(query, passage)
    assert span in " ".join(query.split())
    assert span in " ".join(passage.split())


@given(texts)
def test_squeezing_twice_changes_nothing(text: str) -> None:
    assert squeezed(squeezed(text)) == squeezed(text)
