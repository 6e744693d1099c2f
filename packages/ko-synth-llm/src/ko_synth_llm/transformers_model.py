"""A model in this process by transformers alone: prompts in batches, padded on the left, no server and no vLLM.

Answers are not held to their schema while they are written; an invalid one is asked for again.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ._files import InputError
from .asking import Request
from .backends import Reply
from .engine import Engine
from .gpu_memory import check_memory
from .outcomes import Usage
from .thinking import Plan, plan, template_arguments

try:
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, set_seed
except ImportError as missing:
    raise ImportError('the transformers backend needs it: pip install "ko-synth-llm[transformers]"') from missing

GATHERING_S = 0.02
"""How long a batch that is not full waits for more requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What the model wrote after one prompt."""

    text: str
    is_cut_off: bool
    n_prompt_tokens: int
    n_tokens: int


class TransformersBackend:
    """A model that transformers loads, by hub name or folder, on a GPU where there is one.

    Where a task draws (temperature above 0), an answer depends on the batch it is drawn in, so that a run that was
    killed may end with other answers than one that was not; those that were there stay.
    """

    def __init__(self, model: str, engine: Engine | None = None) -> None:
        """Loads the weights; InputError where the model cannot be loaded, or does not fit the GPU."""
        engine = engine or Engine()
        if engine.quantization == "fp8":
            raise InputError("--engine quantization=fp8: transformers has int8; use that, or the vllm backend")
        check_memory(model, engine)
        self.model = model
        self.revision = engine.weights
        self._batch_size = engine.batch_size
        try:
            self.tokenizer, self._loaded = _load(model, engine)
        except (OSError, ValueError, ImportError) as error:
            raise InputError(f"{model}: transformers cannot load it: {error}") from error
        self._waiting: deque[tuple[Request, asyncio.Future[Reply]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def reply(self, request: Request, /) -> Reply:
        """The reply, written in one batch with others that were asked for at the same time."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        while self._waiting:
            if len(self._waiting) < self._batch_size:
                await asyncio.sleep(GATHERING_S)
            n = min(self._batch_size, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(n)]
            try:
                replies = await asyncio.to_thread(self.replies, [request for request, _ in batch])
            except Exception as error:  # each waiting request must learn of it, or the run would wait for ever
                for _, future in batch:
                    if not future.done():
                        future.set_exception(InputError(f"{self.model}: generation failed: {error}"))
                continue
            for (_, future), reply in zip(batch, replies, strict=True):
                if not future.done():
                    future.set_result(reply)

    def replies(self, requests: Sequence[Request]) -> list[Reply]:
        """Replies to requests of one task, in one batch: thoughts first where the task wants them, then answers."""
        plans = [self._planned(request) for request in requests]
        sampling = requests[0].sampling
        if sampling.seed is not None:
            set_seed(sampling.seed + requests[0].n - 1)
        thoughts = [Written(text="", is_cut_off=False, n_prompt_tokens=0, n_tokens=0)] * len(plans)
        if (family := plans[0].family) is not None:
            prompts = [planned.prompt for planned in plans]
            thoughts = self._written(prompts, requests[0], max_tokens=plans[0].budget, stop=family.stop)
        prompts = [planned.answered_after(thought.text) for planned, thought in zip(plans, thoughts, strict=True)]
        answers = self._written(prompts, requests[0], max_tokens=sampling.max_tokens, stop="")
        return [_reply(thought, answer) for thought, answer in zip(thoughts, answers, strict=True)]

    def _planned(self, request: Request) -> Plan:
        messages = [{"role": message.role, "content": message.content} for message in request.conversation.messages]
        arguments = template_arguments(request.sampling)
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, **arguments)
        return plan(text, request.sampling)

    def _written(self, prompts: Sequence[str], request: Request, *, max_tokens: int, stop: str) -> list[Written]:
        """What the model writes after each prompt, to its end, to `stop` or to the limit."""
        inputs = self.tokenizer(list(prompts), return_tensors="pt", padding=True, add_special_tokens=False)
        inputs = inputs.to(self._loaded.device)
        draws = request.sampling.temperature > 0
        drawing = {"temperature": request.sampling.temperature, "top_p": request.sampling.top_p} if draws else {}
        stopping = {"stop_strings": [stop], "tokenizer": self.tokenizer} if stop else {}
        output = self._loaded.generate(
            **inputs,
            max_new_tokens=max_tokens,
            do_sample=draws,
            pad_token_id=self.tokenizer.pad_token_id,
            **drawing,
            **stopping,
        )
        start = inputs["input_ids"].shape[1]
        sizes = inputs["attention_mask"].sum(dim=1).tolist()
        return [
            self._cut(row, n_prompt_tokens=size, max_tokens=max_tokens, stop=stop)
            for row, size in zip(output[:, start:].tolist(), sizes, strict=True)
        ]

    def _cut(self, row: list[int], *, n_prompt_tokens: int, max_tokens: int, stop: str) -> Written:
        """One row of a batch without its padding, its end and what stopped it."""
        ends = _ends(self._loaded.generation_config.eos_token_id, self.tokenizer.eos_token_id)
        length = next((at for at, token in enumerate(row) if token in ends), len(row))
        text = self.tokenizer.decode(row[:length], skip_special_tokens=not stop)
        before, found, _ = text.partition(stop) if stop else (text, "", "")
        is_cut_off = length == len(row) == max_tokens and not found
        return Written(text=before, is_cut_off=is_cut_off, n_prompt_tokens=n_prompt_tokens, n_tokens=length)


def _load(model: str, engine: Engine):  # type: ignore[no-untyped-def]  # transformers' classes are chosen by the model
    revision = engine.revision or "main"
    tokenizer = AutoTokenizer.from_pretrained(model, revision=revision, padding_side="left")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if not tokenizer.chat_template:
        raise ValueError("its tokenizer has no chat template; use a model that is tuned to follow instructions")
    quantized = BitsAndBytesConfig(load_in_8bit=True) if engine.quantization == "int8" else None
    loaded = AutoModelForCausalLM.from_pretrained(
        model, revision=revision, dtype=engine.dtype, device_map="auto", quantization_config=quantized
    )
    return tokenizer, loaded.eval()


def _ends(configured: int | list[int] | None, own: int | None) -> frozenset[int]:
    """Tokens that end an answer."""
    found = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in (*found, own) if token is not None)


def _reply(thought: Written, answer: Written) -> Reply:
    return Reply(
        text=answer.text,
        finish_reason="length" if answer.is_cut_off else "stop",
        usage=Usage(
            prompt_tokens=thought.n_prompt_tokens or answer.n_prompt_tokens,
            completion_tokens=thought.n_tokens + answer.n_tokens,
        ),
        reasoning=thought.text.strip(),
    )
