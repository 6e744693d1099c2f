"""Any OpenAI-compatible server: `vllm serve`, Ollama, llama.cpp, OpenAI itself.

Failures that may pass (a full queue, a lost connection, a late answer) are waited out; the key appears nowhere.
"""

import asyncio
import os
import random
import time
from collections.abc import Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

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
    import aiohttp
except ImportError as missing:
    raise ImportError('the openai backend needs aiohttp: pip install "ko-synth-llm[openai]"') from missing

KEY = "OPENAI_API_KEY"
"""The environment variable that holds the key, which is read nowhere else and written nowhere."""
KEYED_HOST = "api.openai.com"
N_UNREACHED = 3
"""Attempts to connect to a server that never answered anything."""
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 60.0
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


class _Message(msgspec.Struct, frozen=True, kw_only=True):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(msgspec.Struct, frozen=True, kw_only=True):
    message: _Message
    finish_reason: str | None = None


class _Usage(msgspec.Struct, frozen=True, kw_only=True):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Model(msgspec.Struct, frozen=True, kw_only=True):
    id: str


class _Models(msgspec.Struct, frozen=True, kw_only=True):
    data: list[_Model]


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

    def __init__(self, connection: Connection, *, seed: int = 0) -> None:
        """Takes the key from the environment, where a server needs one. seed: of the jitter of waits."""
        address = urlsplit(connection.base_url)
        key = os.environ.get(KEY, "")
        if address.scheme not in {"http", "https"} or not address.hostname:
            raise InputError(f"{connection.base_url}: is no address of a server; wanted http://HOST:PORT/v1")
        if address.hostname == KEYED_HOST and not key:
            raise InputError(
                f"the environment variable {KEY} is not set, which {KEYED_HOST} needs; --base-url names another server"
            )
        self.model = connection.model
        self._connection = connection
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._url = connection.base_url.rstrip("/") + "/chat/completions"
        self._session: aiohttp.ClientSession | None = None
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
                unreached = error.is_connection and not self._is_reached and n_attempts >= N_UNREACHED
                if unreached or n_attempts > self._connection.max_retries:
                    raise self._given_up(error, n_attempts) from error
                await asyncio.sleep(error.wait_s or self._backoff_s(n_attempts))
            except _NoSchemasError:
                self._has_schemas = False
            except _NotFoundError as error:
                raise InputError(await self._not_found(error)) from error
            except RequestError as error:
                raise RequestError(error.reason, str(error), n_attempts=n_attempts) from error

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _given_up(self, error: "_PassingError", n_attempts: int) -> Exception:
        tried = f"after {n_attempts} attempt{'s' if n_attempts > 1 else ''}"
        if error.is_connection and not self._is_reached:
            return InputError(f"{self._connection.base_url}: {error}, {tried}: is a server there?")
        return RequestError("server", f"{error}, {tried}", n_attempts=n_attempts)

    async def _not_found(self, error: "_NotFoundError") -> str:
        """What to say of a 404, with the models that the server says it has."""
        where = f"{self._connection.base_url}: has no model {self.model!r}"
        try:
            async with asyncio.timeout(self._connection.timeout_s):
                async with self._opened_once().get(f"{self._connection.base_url.rstrip('/')}/models") as response:
                    models = msgspec.json.decode(await response.read(), type=_Models).data
        except (TimeoutError, aiohttp.ClientError, msgspec.MsgspecError):
            return f"{where} or no chat/completions: {error}"
        return f"{where}; it has {', '.join(repr(model.id) for model in models[:20]) or 'none'}"

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
        try:
            status, headers, content = await self._in_time(self._body(request, with_schema))
        except TimeoutError as error:
            raise _PassingError(f"no answer within {self._connection.timeout_s:g} s") from error
        except aiohttp.ClientConnectorError as error:
            raise _PassingError(f"no connection: {error}", is_connection=True) from error
        except aiohttp.ClientError as error:
            raise _PassingError(f"the connection failed: {type(error).__name__}: {error}") from error
        self._is_reached = True
        if status != HTTPStatus.OK:
            raise self._failure(status, headers, content, with_schema)
        return _read(content)

    async def _in_time(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """As `_posted`; TimeoutError where no answer has arrived in time.

        `asyncio.timeout` would also throw away one that had, where a busy loop learns of both in the same turn.
        """
        posting = asyncio.create_task(self._posted(body))
        try:
            arrived, _ = await asyncio.wait({posting}, timeout=self._connection.timeout_s)
        finally:
            posting.cancel()
        if not arrived:
            await asyncio.gather(posting, return_exceptions=True)
            raise TimeoutError
        return posting.result()

    async def _posted(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """(status, headers, content) of one request."""
        async with self._opened_once().post(self._url, data=body, allow_redirects=False) as response:
            return response.status, response.headers, await response.read()

    def _opened_once(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = self._opened()
        return self._session

    def _opened(self) -> aiohttp.ClientSession:
        """A session that opens as many connections as there are requests at once, and times none of them itself."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={**self._headers, "Content-Type": "application/json"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            proxy=proxy_of(self._url),
        )

    def _body(self, request: Request, with_schema: bool) -> bytes:
        sampling = request.sampling
        body: dict[str, object] = {
            "model": self.model,
            "messages": msgspec.Raw(request.conversation.json),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
        }
        if sampling.seed is not None:
            body["seed"] = sampling.seed + request.n - 1
        body |= thinking_parameters(sampling)
        if with_schema:
            schema = {"name": request.task, "schema": msgspec.Raw(request.schema.json), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return msgspec.json.encode(body)

    def _failure(self, status: int, headers: Mapping[str, str], content: bytes, with_schema: bool) -> Exception:
        """What a status other than 200 means: wait, ask without a schema, give up on the request, or on the run."""
        said = content.decode(errors="replace")[:300]
        where = self._connection.base_url
        if status in {401, 403}:
            return InputError(
                f"{where}: refused the key in the environment variable {KEY} ({status})"
                if self._headers
                else f"{where}: needs a key: set the environment variable {KEY} ({status})"
            )
        if status == HTTPStatus.NOT_FOUND:
            return _NotFoundError(said)
        if status in PASSING:
            return _PassingError(f"status {status}: {said}", wait_s=retry_after_s(headers.get("Retry-After", "")))
        if status in {400, 422} and with_schema and ("response_format" in said or "schema" in said):
            return _NoSchemasError()
        return RequestError("refused", f"status {status}: {said}")


class _PassingError(Exception):
    """A failure that may pass."""

    def __init__(self, detail: str, *, wait_s: float = 0.0, is_connection: bool = False) -> None:
        super().__init__(detail)
        self.wait_s = wait_s
        self.is_connection = is_connection


class _NotFoundError(Exception):
    """The server has no such model, or is none that completes chats."""


class _NoSchemasError(Exception):
    """The server does not know `response_format` with a JSON Schema."""


def _read(content: bytes) -> Reply:
    try:
        completion = msgspec.json.decode(content, type=_Completion)
        choice = completion.choices[0]
    except (msgspec.MsgspecError, UnicodeDecodeError, IndexError) as error:
        raise _PassingError(f"the answer is no chat completion: {error}") from error
    if choice.message.refusal:
        raise RequestError("refused", f"the model refused: {choice.message.refusal[:300]}")
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


def proxy_of(url: str) -> str | None:
    """The proxy that the environment names for an address (`https_proxy`, `no_proxy` and the like).

    Looked up once: aiohttp's own `trust_env` reads the environment and a netrc file for every request.
    """
    parts = urlsplit(url)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)


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
