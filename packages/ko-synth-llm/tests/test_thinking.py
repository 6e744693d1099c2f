"""What a prompt and a task say of thinking becomes one prompt, or a thought and an answer."""

import pytest
from ko_synth_llm import InputError, load_task
from ko_synth_llm.openai_server import thinking_parameters
from ko_synth_llm.tasks import Sampling, with_sampling
from ko_synth_llm.thinking import CHANNELS, FREE_TOKENS, THINK, plan

QWEN = "<|im_start|>assistant\n"
ALWAYS = "<|im_start|>assistant\n<think>\n"
GPT_OSS = "<|start|>assistant"


@pytest.mark.parametrize(
    ("prompt", "thinking", "sent"),
    [
        (QWEN, "on", QWEN + "<think>\n"),
        (QWEN, "off", QWEN),
        (ALWAYS, "on", ALWAYS),
        (ALWAYS, "off", ALWAYS + "\n</think>\n\n"),
        (GPT_OSS, "on", GPT_OSS + "<|channel|>analysis<|message|>"),
        (GPT_OSS, "off", GPT_OSS + "<|channel|>final<|message|>"),
    ],
)
def test_a_prompt_is_sent_as_its_family_writes_it(prompt: str, thinking: str, sent: str) -> None:
    assert plan(prompt, Sampling(thinking=thinking)).prompt == sent


@pytest.mark.parametrize(("prompt", "family"), [(QWEN, None), (ALWAYS, THINK), (GPT_OSS, CHANNELS)])
def test_a_model_that_is_told_nothing_thinks_where_its_template_has_it_think(prompt: str, family: object) -> None:
    found = plan(prompt, Sampling())
    assert (found.family, found.budget) == (family, FREE_TOKENS if family else 0)


def test_the_answer_follows_a_closed_thought() -> None:
    assert plan(QWEN, Sampling(thinking="9")).answered_after("흠 ") == QWEN + "<think>\n흠\n</think>\n\n"
    assert plan(QWEN, Sampling()).answered_after("") == QWEN


def test_a_server_is_told_of_thinking_only_where_the_task_says_so() -> None:
    assert thinking_parameters(Sampling()) == {}
    off = {"chat_template_kwargs": {"enable_thinking": False, "reasoning_effort": "low"}}
    assert thinking_parameters(Sampling(thinking="off")) == off


def test_thinking_is_set_like_other_sampling_and_checked() -> None:
    assert with_sampling(load_task("queries"), ["thinking=64"]).file.sampling.thinking == "64"
    with pytest.raises(InputError, match="--sampling thinking=maybe"):
        with_sampling(load_task("queries"), ["thinking=maybe"])
    with pytest.raises(InputError, match="did you mean 'thinking'"):
        with_sampling(load_task("queries"), ["thinkin=on"])
