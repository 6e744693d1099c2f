"""From a model's reply to an answer: reasoning set aside, JSON taken out and repaired, the schema enforced.

Whoever asks decides what happens to an invalid reply; here it is only said why it is one.
"""

import json
import re
import unicodedata
from collections.abc import Iterator

from .answer_schema import AnswerSchema

FENCE = re.compile(r"```[A-Za-z]*\s*\n(.*?)```", re.DOTALL)
TRAILING_COMMA = re.compile(r",(\s*[}\]])")
FINAL_CHANNEL = re.compile(r"<\|channel\|>final\s*(?:<\|constrain\|>\s*\w+\s*)?<\|message\|>")
CHANNEL_MARK = re.compile(r"<\|(?:start|end|return|call|channel|message|constrain)\|>")
CHANNEL_WORDS = frozenset({"", "analysis", "assistant", "commentary"})
LEAKED_FINAL = re.compile(r"assistant\s*final\s*(?:json)?")
"""What is left of gpt-oss's marks where a server drops special tokens: `analysis...assistantfinal{...}`."""
THOUGHTS = (("<think>", "</think>"), ("<thought>", "</thought>"), ("[THINK]", "[/THINK]"))
"""Qwen3 and most others, EXAONE Deep, Magistral."""


class AnswerError(Exception):
    """A reply that holds no valid answer; `reason` is a short name for counting, the message says what is wrong."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def separate_reasoning(text: str) -> tuple[str, str]:
    """A reply as (reasoning, answer), for models that think between marks (Qwen3) or in channels (gpt-oss).

    A thought that never ends leaves no answer. Templates that open it in the prompt leave only its end.

    >>> separate_reasoning("<think>예일까?</think>\\n{}")
    ('예일까?', '{}')
    >>> separate_reasoning("<|channel|>analysis<|message|>흠<|end|><|start|>assistant<|channel|>final<|message|>{}")
    ('흠', '{}')
    """
    if "<|channel|>" in text:
        return _out_of_channels(text)
    if text.startswith("analysis"):
        thought, *finals = LEAKED_FINAL.split(text.removeprefix("analysis"))
        return thought.strip(), finals[-1].strip() if finals else ""
    for opening, closing in THOUGHTS:
        if closing in text:
            before, _, answer = text.rpartition(closing)
            return before.replace(opening, "").strip(), answer.strip()
        if text.lstrip().startswith(opening):
            return text.replace(opening, "").strip(), ""
    return "", text.strip()


def _out_of_channels(text: str) -> tuple[str, str]:
    """gpt-oss's own marks: what is in its final channel is the answer, and all else is reasoning."""
    finals = list(FINAL_CHANNEL.finditer(text))
    before, answer = (text[: finals[-1].start()], text[finals[-1].end() :]) if finals else (text, "")
    parts = (part.strip() for part in CHANNEL_MARK.split(before))
    return " ".join(part for part in parts if part not in CHANNEL_WORDS), CHANNEL_MARK.split(answer)[0].strip()


def parse(text: str) -> object:
    """The JSON value in an answer's text, strings in NFC; fences, words around it, trailing commas
    and bare line ends inside strings are repaired.

    >>> parse('판정은 이렇습니다.\\n```json\\n{"verdict": "예",}\\n```')
    {'verdict': '예'}

    Raises AnswerError ("empty", "not_json") where there is none.
    """
    if not text.strip():
        raise AnswerError("empty", "the reply holds no answer")
    for candidate in _candidates(text):
        try:
            return in_nfc(json.loads(candidate, strict=False))
        except ValueError:
            continue
    return in_nfc(_embedded(text))


def _candidates(text: str) -> Iterator[str]:
    """What may be the JSON, the likeliest first: as it stands, repaired, out of a fence."""
    yield text
    yield TRAILING_COMMA.sub(r"\1", text)
    for candidate in FENCE.findall(text):
        yield candidate
        yield TRAILING_COMMA.sub(r"\1", candidate)


def _embedded(text: str) -> object:
    """The first whole JSON object with words around it; the whole one, never a part of a broken one."""
    start = text.find("{")
    if start >= 0:
        decoder = json.JSONDecoder(strict=False)
        for source in (text, TRAILING_COMMA.sub(r"\1", text)):
            try:
                return decoder.raw_decode(source, source.find("{"))[0]
            except ValueError:
                continue
    raise AnswerError("not_json", f"the reply is not JSON: {text[:80]!r}")


def in_nfc(value: object) -> object:
    """A JSON value with its strings in NFC."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list):
        return [in_nfc(item) for item in value]
    if isinstance(value, dict):
        return {unicodedata.normalize("NFC", key): in_nfc(item) for key, item in value.items()}
    return value


def check(value: object, schema: AnswerSchema, *, reason: str = "schema") -> None:
    """Raises AnswerError (of that reason) with the first place where a value breaks the schema."""
    if breach := schema.breach(value):
        raise AnswerError(reason, breach[:300])


def valid_answer(text: str, schema: AnswerSchema, *, finish_reason: str) -> object:
    """The answer in a reply whose reasoning was set aside; AnswerError for one that is cut off, withheld, no JSON, or
    invalid.
    """
    if finish_reason == "length":
        raise AnswerError("cut_off", "the reply was cut off at the token limit (sampling.max_tokens)")
    if finish_reason == "content_filter":
        raise AnswerError("refused", "the server's content filter withheld the reply")
    value = parse(text)
    check(value, schema)
    return value
