"""Any OpenAI-compatible server: `vllm serve`, Ollama, llama.cpp, OpenAI itself.

Failures that may pass (a full queue, a lost connection, a late answer) are waited out; the key appears nowhere.
"""

import asyncio
import random
import time
from dataclasses import replace
from email.utils import parsedate_to_datetime

import msgspec

from ._files import InputError
from .asking import Request
from .backend_choice import Connection
from .backends import Reply, RequestError
from .budget import estimated_usage
from .outcomes import Usage
from .tasks import Sampling
from .thinking import template_arguments

try:
    import httpx
except ImportError as missing:
    raise ImportError('the openai backend needs httpx: pip install "ko-synth-llm[openai]"') from missing

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 60.0
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


class _Message(msgspec.Struct, frozen=True, kw_only=True):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(msgspec.Struct, frozen=True, kw_only=True):
    message: _Message
    finish_reason: str | None = None


class _Usage(msgspec.Struct, frozen=True, kw_only=True):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Completion(msgspec.Struct, frozen=True, kw_only=True):
    choices: list[_Choice]
    usage: _Usage | None = None


class RateLimit:
    """Lets amounts through at so many a minute, in the order they ask; a burst of one second is let through at once."""

    def __init__(self, per_minute: float) -> None:
        """per_minute: 0 for no limit."""
        self.per_s = per_minute / 60
        self._free_at = 0.0

    async def take(self, amount: float) -> None:
        if not self.per_s:
            return
        now = time.monotonic()
        self._free_at = max(self._free_at, now - 1.0) + amount / self.per_s
        if (wait := self._free_at - now) > 0:
            await asyncio.sleep(wait)


class OpenAIBackend:
    """Chat completions of one model on one server."""

    revision = ""

    def __init__(self, connection: Connection, *, key: str = "", seed: int = 0) -> None:
        """key: may be empty, for servers that ask for none. seed: of the jitter of waits."""
        self.model = connection.model
        self._connection = connection
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._clients: list[httpx.AsyncClient] = []
        self._free: list[httpx.AsyncClient] = []
        self._certificates = httpx.create_ssl_context()
        self._has_schemas = True
        self._is_reached = False
        self._requests = RateLimit(connection.requests_per_minute)
        self._tokens = RateLimit(connection.tokens_per_minute)
        self._random = random.Random(seed)

    async def reply(self, request: Request, /) -> Reply:
        """The server's reply, after as many repeats as allowed; RequestError if there is none.

        InputError where no request can succeed: no such model, a key that is missing or refused, no server.
        """
        n_attempts = 0
        while True:
            n_attempts += 1
            try:
                return replace(await self._attempt(request), n_attempts=n_attempts)
            except _PassingError as error:
                if n_attempts > self._connection.max_retries:
                    raise self._given_up(error, n_attempts) from error
                await asyncio.sleep(error.wait_s or self._backoff_s(n_attempts))
            except _NoSchemasError:
                self._has_schemas = False
            except RequestError as error:
                raise RequestError(error.reason, str(error), n_attempts=n_attempts) from error

    async def aclose(self) -> None:
        for client in self._clients:
            await client.aclose()

    def _given_up(self, error: "_PassingError", n_attempts: int) -> Exception:
        if error.is_connection and not self._is_reached:
            return InputError(f"{self._connection.base_url}: {error}, after {n_attempts} attempts: is a server there?")
        return RequestError("server", f"{error}, after {n_attempts} attempts", n_attempts=n_attempts)

    def _backoff_s(self, n_attempts: int) -> float:
        """Exponential with jitter. Source: Brooker 2015, "Exponential Backoff And Jitter", AWS."""
        longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (n_attempts - 1))
        return longest * self._random.uniform(0.1, 1.0)

    async def _attempt(self, request: Request) -> Reply:
        await self._requests.take(1)
        if self._connection.tokens_per_minute:
            expected = estimated_usage(request)
            await self._tokens.take(expected.prompt_tokens + expected.completion_tokens)
        with_schema = self._has_schemas
        client = self._free.pop() if self._free else self._opened()
        try:
            async with asyncio.timeout(self._connection.timeout_s):
                response = await client.post("chat/completions", content=self._body(request, with_schema))
        except TimeoutError as error:
            raise _PassingError(f"no answer within {self._connection.timeout_s:g} s") from error
        except httpx.ConnectError as error:
            raise _PassingError(f"no connection: {error}", is_connection=True) from error
        except httpx.HTTPError as error:
            raise _PassingError(f"the connection failed: {error!r}") from error
        finally:
            self._free.append(client)
        self._is_reached = True
        if response.status_code != httpx.codes.OK:
            raise self._failure(response, with_schema)
        return _read(response.content)

    def _opened(self) -> httpx.AsyncClient:
        """A client of its own for each request at once: httpcore searches all connections of a pool for each request,
        so that one pool of 512 would spend more time on searching than on sending.
        """
        client = httpx.AsyncClient(
            base_url=self._connection.base_url.rstrip("/") + "/",
            headers={**self._headers, "Content-Type": "application/json"},
            timeout=None,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            verify=self._certificates,
        )
        self._clients.append(client)
        return client

    def _body(self, request: Request, with_schema: bool) -> bytes:
        sampling = request.sampling
        body: dict[str, object] = {
            "model": self.model,
            "messages": request.messages,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
        }
        if sampling.seed is not None:
            body["seed"] = sampling.seed + request.n - 1
        body |= thinking_parameters(sampling)
        if with_schema:
            schema = {"name": request.task, "schema": request.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return msgspec.json.encode(body)

    def _failure(self, response: httpx.Response, with_schema: bool) -> Exception:
        """What a status other than 200 means: wait, ask without a schema, give up on the request, or on the run."""
        status, said = response.status_code, response.text[:300]
        where = self._connection.base_url
        if status in {401, 403}:
            return InputError(
                f"{where}: the key in the environment variable OPENAI_API_KEY is missing or refused ({status})"
            )
        if status == httpx.codes.NOT_FOUND:
            return InputError(f"{where}: has no model {self.model!r} or no chat/completions: {said}")
        if status in PASSING:
            return _PassingError(
                f"status {status}: {said}", wait_s=retry_after_s(response.headers.get("retry-after", ""))
            )
        if status in {400, 422} and with_schema and ("response_format" in said or "schema" in said):
            return _NoSchemasError()
        return RequestError("refused", f"status {status}: {said}")


class _PassingError(Exception):
    """A failure that may pass."""

    def __init__(self, detail: str, *, wait_s: float = 0.0, is_connection: bool = False) -> None:
        super().__init__(detail)
        self.wait_s = wait_s
        self.is_connection = is_connection


class _NoSchemasError(Exception):
    """The server does not know `response_format` with a JSON Schema."""


def _read(content: bytes) -> Reply:
    try:
        completion = msgspec.json.decode(content, type=_Completion)
        choice = completion.choices[0]
    except (msgspec.MsgspecError, UnicodeDecodeError, IndexError) as error:
        raise _PassingError(f"the answer is no chat completion: {error}") from error
    usage = completion.usage or _Usage()
    return Reply(
        text=choice.message.content or "",
        finish_reason=choice.finish_reason or "stop",
        usage=Usage(prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens),
        reasoning=choice.message.reasoning_content or choice.message.reasoning or "",
    )


def thinking_parameters(sampling: Sampling) -> dict[str, object]:
    """What a request says of thinking: nothing where the task leaves it to the model, else as `vllm serve` reads it.

    >>> thinking_parameters(Sampling(thinking="512"))
    {'chat_template_kwargs': {'enable_thinking': True}, 'thinking_token_budget': 512}
    """
    arguments = template_arguments(sampling)
    parameters: dict[str, object] = {"chat_template_kwargs": arguments} if arguments else {}
    if isinstance(sampling.thinking, str) and sampling.thinking.isdigit():
        parameters["thinking_token_budget"] = int(sampling.thinking)
    return parameters


def retry_after_s(header: str) -> float:
    """The seconds to wait that a Retry-After header asks for, at most an hour; 0 without one.

    >>> retry_after_s("7"), retry_after_s(""), retry_after_s("soon")
    (7.0, 0.0, 0.0)
    """
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except (ValueError, TypeError):
            return 0.0
    return min(max(seconds, 0.0), 3600.0)
