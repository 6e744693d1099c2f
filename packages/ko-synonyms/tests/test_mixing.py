"""Mixing: which terms are replaced, and that nothing else changes."""

import pytest
from ko_synonyms.mixing import mix
from ko_synonyms.records import Pair

DICTIONARY = {
    "검색": ["search"], "검색 엔진": ["search engine"], "은행": ["bank", "ginkgo"],
    "서버": ["server"], "search": ["검색"],
    "server": ["서버"], "api": ["인터페이스"],
}  # fmt: skip


def mixed(query: str, passages: dict[str, str] | None = None) -> list[str]:
    pair = Pair(query_id="q", query=query, doc_id="d", kind="title", language="ko", source="s", split="train")
    return [copy.query for copy in mix([pair], DICTIONARY, passages=passages)]


@pytest.mark.parametrize(
    ("query", "copy"),
    [
        ("검색을 고른다", "search를 고른다"),
        ("검색하는 법", "search하는 법"),
        ("검색 엔진은 무엇인가", "search engine은 무엇인가"),
        ("search를 고른다", "검색을 고른다"),
        ("'서버'가 멈췄다", "'server'가 멈췄다"),
        ("좋은 API", "좋은 인터페이스"),
    ],
)
def test_a_term_is_replaced_and_its_particle_fitted(query: str, copy: str) -> None:
    assert mixed(query) == [copy]


@pytest.mark.parametrize("query", ["검색어를 고른다", "재검색", "researcher", "아무것도 없다", "검색(search)이란", ""])
def test_a_term_inside_another_word_or_already_translated_is_left_alone(query: str) -> None:
    assert mixed(query) == []


def test_of_several_meanings_the_passages_own_is_taken() -> None:
    assert mixed("은행 나무") == ["bank 나무"]
    assert mixed("은행 나무", {"d": "Ginkgo trees"}) == ["ginkgo 나무"]


def test_a_copy_names_its_original_and_keeps_the_rest() -> None:
    pair = Pair(query_id="q", query="검색", doc_id="d", kind="title", language="ko", source="s", split="train")
    (copy,) = mix([pair], DICTIONARY)
    assert (copy.query_id, copy.kind, copy.language, copy.doc_id, copy.split) == (
        "q:mixed",
        "code_mixed",
        "mixed",
        "d",
        "train",
    )


def test_a_copy_depends_on_seed_and_id_not_on_its_neighbours() -> None:
    pairs = [
        Pair(query_id=f"q{n}", query="서버 검색 은행", doc_id="d", kind="title", language="ko", source="s")
        for n in range(20)
    ]
    together = list(mix(pairs, DICTIONARY, seed=7))
    assert [next(mix([pair], DICTIONARY, seed=7)) for pair in pairs] == together
    assert len({copy.query for copy in together}) > 1
