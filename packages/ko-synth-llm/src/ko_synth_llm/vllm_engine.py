"""vLLM in this process: continuous batching over the requests there are, answers held to their JSON Schema.

For machines with a GPU and no server; many requests are added to one engine at once and it orders its own batches.
"""

import inspect
import itertools

from ._files import InputError
from .asking import Request
from .backends import Reply, RequestError
from .outcomes import Usage

try:
    from vllm import SamplingParams, TokensPrompt
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.platforms import current_platform
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams
    from vllm.v1.engine.async_llm import AsyncLLM
    from vllm.v1.engine.exceptions import EngineDeadError
except ImportError as missing:
    raise ImportError('the vllm backend needs vLLM: pip install "ko-synth-llm[vllm]"') from missing


class VllmBackend:
    """A model that vLLM loads, by hub name or folder."""

    revision = ""

    def __init__(self, model: str) -> None:
        self.model = model
        self._engine = AsyncLLM.from_engine_args(AsyncEngineArgs(model=model))
        self._numbers = itertools.count()

    async def reply(self, request: Request, /) -> Reply:
        found = self._engine.get_tokenizer()
        tokenizer = await found if inspect.isawaitable(found) else found
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        # The template has written its own special tokens; tokenizing must not add them again.
        prompt = TokensPrompt(prompt_token_ids=tokenizer.encode(text, add_special_tokens=False))
        name = f"ko-synth-llm-{next(self._numbers)}"
        output = None
        try:
            async for part in self._engine.generate(prompt, _parameters(request), name):
                output = part
        except EngineDeadError as error:
            raise InputError(f"{self.model}: the vLLM engine stopped; its log says why") from error
        if output is None or not output.outputs:
            raise RequestError("engine", "the engine gave no output")
        answer = output.outputs[0]
        return Reply(
            text=answer.text,
            finish_reason=answer.finish_reason or "stop",
            usage=Usage(prompt_tokens=len(output.prompt_token_ids or []), completion_tokens=len(answer.token_ids)),
        )

    async def aclose(self) -> None:
        self._engine.shutdown()


def _parameters(request: Request) -> "SamplingParams":
    sampling = request.sampling
    # A seed of a request ends vLLM 0.32 on CPU where its prompt is read in parts: CPU generators have no offset.
    seed = None if sampling.seed is None or current_platform.is_cpu() else sampling.seed + request.n - 1
    return SamplingParams(
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        max_tokens=sampling.max_tokens,
        seed=seed,
        output_kind=RequestOutputKind.FINAL_ONLY,
        structured_outputs=StructuredOutputsParams(json=dict(request.schema)),
    )
