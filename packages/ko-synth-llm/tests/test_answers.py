"""Replies of real families of models, parsed: fences, chatter, thinking, and what cannot be repaired."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ko_synth_llm.answers import AnswerError, in_nfc, parse, separate_reasoning, valid_answer
from ko_synth_llm.tasks import load_task

VERDICT = '{"reason":"색인의 번역어이다.","verdict":"예","confidence":0.9}'
VALUE = {"reason": "색인의 번역어이다.", "verdict": "예", "confidence": 0.9}


@pytest.mark.parametrize(
    "reply",
    [
        VERDICT,
        f"\n  {VERDICT}\n",
        f"```json\n{VERDICT}\n```",
        f"```\n{VERDICT}\n```\n도움이 되었기를 바랍니다.",
        f"판정 결과는 다음과 같습니다.\n\n{VERDICT}",
        f"{VERDICT} 이상입니다.",
        VERDICT.replace("0.9}", "0.9,}"),
        f"<think>색인은 index다. {{아마}} 예.</think>\n\n{VERDICT}",
        f"색인은 index라고도 한다.\n</think>\n{VERDICT}",
        f"<|channel|>analysis<|message|>음<|end|><|start|>assistant<|channel|>final<|message|>{VERDICT}<|return|>",
    ],
)
def test_a_reply_with_one_answer_in_it_is_understood(reply: str) -> None:
    _, text = separate_reasoning(reply)
    assert valid_answer(text, load_task("synonym_judge").schema, finish_reason="stop") == VALUE


@pytest.mark.parametrize(
    ("reply", "finish_reason", "reason"),
    [
        ("", "stop", "empty"),
        ("<think>끝나지 않는 생각", "stop", "empty"),
        ("예, 동의어입니다.", "stop", "not_json"),
        (VERDICT[:-10], "stop", "not_json"),
        (VERDICT[:-10], "length", "cut_off"),
        (VERDICT, "length", "cut_off"),
        ('{"verdict":"예"}', "stop", "schema"),
        (VERDICT.replace("예", "아마"), "stop", "schema"),
        (VERDICT.replace("0.9", "1.9"), "stop", "schema"),
        ("[" + VERDICT + "]", "stop", "schema"),
    ],
)
def test_a_reply_without_a_valid_answer_has_a_reason(reply: str, finish_reason: str, reason: str) -> None:
    _, text = separate_reasoning(reply)
    with pytest.raises(AnswerError) as failure:
        valid_answer(text, load_task("synonym_judge").schema, finish_reason=finish_reason)
    assert failure.value.reason == reason


def test_an_inner_object_never_stands_for_a_broken_outer_one() -> None:
    with pytest.raises(AnswerError):
        parse('{"queries": [{"style": "keyword", "query": "색인"}, {"style"')


def test_a_bare_line_end_inside_a_string_is_taken_as_it_is() -> None:
    assert parse('{"a": "한 줄\n두 줄"}') == {"a": "한 줄\n두 줄"}


def test_strings_become_nfc() -> None:
    assert parse('{"a": "\\u1112\\u1161\\u11ab"}') == {"a": "한"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_value_is_parsed_as_itself(value: object) -> None:
    assert parse(json.dumps(value)) == in_nfc(value)


@pytest.mark.parametrize(
    ("reply", "reasoning"),
    [
        ("<|channel|>analysis<|message|>생각만 한다", "생각만 한다"),
        ('<|channel|>analysis<|message|>{"verdict": "예"}<|end|>', '{"verdict": "예"}'),
        ("analysisWe need JSON like {}", "We need JSON like {}"),
        ("<thought>아마 {}", "아마 {}"),
    ],
)
def test_a_thought_without_an_end_is_never_taken_for_the_answer(reply: str, reasoning: str) -> None:
    assert separate_reasoning(reply) == (reasoning, "")


@pytest.mark.parametrize(
    "reply",
    [
        "<|channel|>analysis<|message|>흠<|end|><|channel|>final <|constrain|>json<|message|>{}<|return|>",
        "analysis흠assistantfinal{}",
        "analysis흠assistantfinal json{}",
        "[THINK]흠[/THINK]{}",
        "<thought>\n흠\n</thought>\n{}",
        "흠\n</think>\n\n{}",
    ],
)
def test_each_familys_thought_is_set_aside(reply: str) -> None:
    assert separate_reasoning(reply) == ("흠", "{}")


def test_a_withheld_reply_is_refused() -> None:
    with pytest.raises(AnswerError, match="content filter") as failure:
        valid_answer("{", load_task("synonym_judge").schema, finish_reason="content_filter")
    assert failure.value.reason == "refused"
