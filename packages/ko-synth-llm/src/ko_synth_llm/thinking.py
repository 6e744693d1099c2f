"""Thinking on, off or budgeted, as a prompt that is continued: what opens a thought, what ends it, what comes then.

An engine that is given a whole prompt can let a model think freely first and hold only the answer to a schema.
"""

from dataclasses import dataclass

import msgspec

from .tasks import Sampling

FREE_TOKENS = 4096
"""Of a thought whose length nobody limited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How a family of models writes a thought."""

    opening: str
    stop: str
    """What a model writes when it has thought enough."""
    closing: str
    """What stands between a thought and the answer."""


THINK = Family(opening="<think>\n", stop="</think>", closing="\n</think>\n\n")
"""Qwen3 and others that think between two marks."""
CHANNELS = Family(
    opening="<|channel|>analysis<|message|>",
    stop="<|end|>",
    closing="<|end|><|start|>assistant<|channel|>final<|message|>",
)
"""gpt-oss, whose thought is a message in a channel of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send: one prompt that is answered, or one that is thought about first."""

    prompt: str
    family: Family | None = None
    budget: int = 0
    """Most tokens of the thought; it is ended there and the answer follows."""

    def answered_after(self, thought: str) -> str:
        """The prompt that is answered once a model has thought."""
        closing = "" if self.family is None else self.family.closing
        return f"{self.prompt}{thought.rstrip()}{closing}"


def template_arguments(sampling: Sampling) -> dict[str, bool | str]:
    """What a chat template is told about thinking; nothing where the task leaves it to the model.

    >>> template_arguments(Sampling(thinking="off"))
    {'enable_thinking': False, 'reasoning_effort': 'low'}
    >>> template_arguments(Sampling())
    {}
    """
    if sampling.thinking is msgspec.UNSET:
        return {}
    if sampling.thinking == "off":
        return {"enable_thinking": False, "reasoning_effort": "low"}
    return {"enable_thinking": True}


def plan(prompt: str, sampling: Sampling) -> Plan:
    r"""How a rendered prompt is answered; a template that opens the thought itself is of a model that always thinks.

    >>> plan("<|im_start|>assistant\n", Sampling()).family is None
    True
    >>> made = plan("<|im_start|>assistant\n", Sampling(thinking="100"))
    >>> made.prompt, made.budget
    ('<|im_start|>assistant\n<think>\n', 100)
    >>> plan("<|im_start|>assistant\n<think>\n", Sampling(thinking="off")).prompt
    '<|im_start|>assistant\n<think>\n\n</think>\n\n'
    """
    thinking = sampling.thinking
    is_open = prompt.rstrip().endswith("<think>")
    has_channels = prompt.endswith("<|start|>assistant")
    if thinking == "off" or (thinking is msgspec.UNSET and not is_open and not has_channels):
        if has_channels:
            return Plan(prompt=f"{prompt}<|channel|>final<|message|>")
        return Plan(prompt=f"{prompt.rstrip()}\n{THINK.closing}" if is_open else prompt)
    family = CHANNELS if has_channels else THINK
    budget = int(thinking) if isinstance(thinking, str) and thinking.isdigit() else FREE_TOKENS
    return Plan(prompt=prompt if is_open else f"{prompt}{family.opening}", family=family, budget=budget)
