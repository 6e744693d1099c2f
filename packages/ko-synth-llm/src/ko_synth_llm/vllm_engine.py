"""vLLM in this process: continuous batching over the requests there are, answers held to their JSON Schema.

For machines with a GPU and no server; many requests are added to one engine at once and it orders its own batches.
"""

import inspect
import itertools
from dataclasses import dataclass

from ._files import InputError
from .asking import Request
from .backends import Reply, RequestError
from .engine import Engine
from .gpu_memory import check_memory
from .outcomes import Usage
from .thinking import Plan, plan, template_arguments

try:
    from vllm import SamplingParams, TokensPrompt
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.platforms import current_platform
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams
    from vllm.v1.engine.async_llm import AsyncLLM
    from vllm.v1.engine.exceptions import EngineDeadError
except ImportError as missing:
    raise ImportError('the vllm backend needs vLLM: pip install "ko-synth-llm[vllm]"') from missing

QUANTIZATION = {"": None, "int8": "int8_per_channel_weight_only"}
"""vLLM's names where they differ from ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What the engine wrote after one prompt."""

    text: str
    finish_reason: str
    usage: Usage


class VllmBackend:
    """A model that vLLM loads, by hub name or folder."""

    def __init__(self, model: str, engine: Engine | None = None) -> None:
        """Loads the weights; InputError, before that, where they do not fit the GPUs."""
        engine = engine or Engine()
        self.model = model
        self.revision = engine.weights
        check_memory(model, engine)
        self._engine = AsyncLLM.from_engine_args(engine_arguments(model, engine))
        self._numbers = itertools.count()

    async def reply(self, request: Request, /) -> Reply:
        """The answer, held to its schema; a model that is to think does so first and is not held to anything."""
        found = self._engine.get_tokenizer()
        tokenizer = await found if inspect.isawaitable(found) else found
        messages = [{"role": message.role, "content": message.content} for message in request.conversation.messages]
        arguments = template_arguments(request.sampling)
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, **arguments)
        planned = plan(text, request.sampling)
        thought = _Part(text="", finish_reason="stop", usage=Usage())
        if planned.family is not None:
            opened = tokenizer.encode(planned.prompt, add_special_tokens=False)
            thought = await self._continued(opened, thinks(request, planned))
        # The template has written its own special tokens; tokenizing must not add them again.
        answered = tokenizer.encode(planned.answered_after(thought.text), add_special_tokens=False)
        answer = await self._continued(answered, answers(request))
        return Reply(
            text=answer.text,
            finish_reason=answer.finish_reason,
            usage=Usage(
                prompt_tokens=thought.usage.prompt_tokens or answer.usage.prompt_tokens,
                completion_tokens=thought.usage.completion_tokens + answer.usage.completion_tokens,
            ),
            reasoning=thought.text.strip(),
        )

    async def aclose(self) -> None:
        self._engine.shutdown()

    async def _continued(self, prompt: list[int], parameters: "SamplingParams") -> _Part:
        name = f"ko-synth-llm-{next(self._numbers)}"
        output = None
        try:
            async for part in self._engine.generate(TokensPrompt(prompt_token_ids=prompt), parameters, name):
                output = part
        except EngineDeadError as error:
            raise InputError(f"{self.model}: the vLLM engine stopped; its log says why") from error
        except ValueError as error:
            raise RequestError("refused", f"the engine refused the request: {error}") from error
        if output is None or not output.outputs:
            raise RequestError("engine", "the engine gave no output")
        written = output.outputs[0]
        usage = Usage(prompt_tokens=len(output.prompt_token_ids or []), completion_tokens=len(written.token_ids))
        return _Part(text=written.text, finish_reason=written.finish_reason or "stop", usage=usage)


def engine_arguments(model: str, engine: Engine) -> "AsyncEngineArgs":
    """vLLM's own arguments for our settings."""
    return AsyncEngineArgs(
        model=model,
        revision=engine.revision or None,
        dtype=engine.dtype,
        quantization=QUANTIZATION.get(engine.quantization, engine.quantization),
        tensor_parallel_size=engine.tensor_parallel_size,
        max_model_len=engine.max_model_len or None,
        cpu_offload_gb=engine.cpu_offload_gb,
        gpu_memory_utilization=engine.gpu_memory_utilization,
    )


def thinks(request: Request, planned: Plan) -> "SamplingParams":
    """How a thought is drawn: freely, to its end or to its budget."""
    stop = planned.family.stop if planned.family is not None else ""
    return _drawn(request, max_tokens=planned.budget, stop=[stop], structured_outputs=None)


def answers(request: Request) -> "SamplingParams":
    """How an answer is drawn: as JSON that follows the request's schema."""
    schema = StructuredOutputsParams(json=dict(request.schema.value), disable_any_whitespace=True)
    return _drawn(request, max_tokens=request.sampling.max_tokens, stop=[], structured_outputs=schema)


def _drawn(
    request: Request, *, max_tokens: int, stop: list[str], structured_outputs: "StructuredOutputsParams | None"
) -> "SamplingParams":
    sampling = request.sampling
    # A seed of a request ends vLLM 0.32 on CPU where its prompt is read in parts: CPU generators have no offset.
    seed = None if sampling.seed is None or current_platform.is_cpu() else sampling.seed + request.n - 1
    return SamplingParams(
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        max_tokens=max_tokens,
        seed=seed,
        stop=stop,
        skip_special_tokens=not stop,
        output_kind=RequestOutputKind.FINAL_ONLY,
        structured_outputs=structured_outputs,
    )
