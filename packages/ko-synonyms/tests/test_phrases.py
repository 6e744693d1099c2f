"""Phrases: where the Korean term before a bracket begins, on cases that a rule of thumb gets wrong."""

import pytest
from ko_synonyms.brackets import find_mentions
from ko_synonyms.phrases import size_pairs


@pytest.mark.parametrize(
    ("text", "ko", "en"),
    [
        ("우리는 임베딩(embedding)을 만든다", "임베딩", "embedding"),
        ("한 해의 국내총생산(GDP)은", "국내총생산", "GDP"),
        ("질의를 소형 언어 모델(SLM)로 갈아탔다", "소형 언어 모델", "SLM"),
        ("트랜잭션의 격리 수준(isolation level)을", "격리 수준", "isolation level"),
        ("앞에 로드 밸런서(load balancer)를 둔다", "로드 밸런서", "load balancer"),
        ("흔한 구성은 캐시 어사이드(cache-aside)다", "캐시 어사이드", "cache-aside"),
        ("가을 마라톤(marathon) 대회", "마라톤", "marathon"),
        ("빛에 약한 재질은 흔히 조도(illuminance) 50럭스", "조도", "illuminance"),
        ("커서(cursor)를 쓴다", "커서", "cursor"),
        ("테스트의 코드 커버리지(code coverage)는", "코드 커버리지", "code coverage"),
        ("미국 국립표준기술연구소(NIST)는", "국립표준기술연구소", "NIST"),
        (
            "2024년 12월 유네스코 인류무형문화유산(Intangible Cultural Heritage)",
            "인류무형문화유산",
            "Intangible Cultural Heritage",
        ),
        ("질의와 문서를 따로 인코딩하는 이중 인코더(bi-encoder)", "이중 인코더", "bi-encoder"),
        ("그런 성격의 1차 사료(primary source)", "1차 사료", "primary source"),
        ("모델을(model) 만든다", "모델", "model"),
        ("체제에서(system) 쓴다", "체제", "system"),
        ("초당 24프레임(frame)", "프레임", "frame"),
        ("유효 기간이 짧으면 개인 키(private key)가", "개인 키", "private key"),
        ("리눅스의 side-scan sonar(측면주사소나)", "측면주사소나", "side-scan sonar"),
        ("Windows LCID(로캘 ID)입니다", "로캘 ID", "LCID"),
        ("a Kubernetes namespace(네임스페이스)", "네임스페이스", "namespace"),
    ],
)
def test_the_right_sized_phrase_is_cut(text: str, ko: str, en: str) -> None:
    (pair,) = size_pairs(find_mentions(text))
    assert pair is not None
    assert (pair.ko, pair.en) == (ko, en)


@pytest.mark.parametrize("text", ["한편 준비했습니다(ready)", "필요한 것(needs)과", "FAIL(또는 다른 반환 코드)"])
def test_what_is_no_noun_phrase_gives_no_pair(text: str) -> None:
    assert list(size_pairs(find_mentions(text))) == [None]


def test_a_phrase_that_could_have_been_longer_is_marked() -> None:
    inexact, exact = size_pairs(find_mentions("가을 마라톤(marathon)과 페이스(pace)"))
    assert inexact is not None
    assert exact is not None
    assert (inexact.exact, exact.exact) == (False, True)
