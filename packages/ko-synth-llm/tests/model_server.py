"""A small OpenAI-compatible server that answers from the prompt, and at will late, wrong, half or not at all.

`served` runs it in a process of its own, which says over HTTP what it has seen.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

FAULTS = ("late", "busy", "broken", "half", "nonsense", "reset")


@dataclass(kw_only=True)
class Behaviour:
    """How the server answers."""

    answer: Callable[[str], str] = lambda prompt: json.dumps({"answer": prompt}, ensure_ascii=False)
    """The reply's text for the last user's message."""
    fault_rate: float = 0.0
    """Of each of the FAULTS, per request."""
    latency_s: float = 0.0
    late_s: float = 0.1
    """Of an answer that comes late; it counts as sent only where somebody still waits for it."""
    has_schemas: bool = True
    finish_reason: str = "stop"
    key: str = ""
    model: str = "tiny"
    retry_after: str = "0.02"
    keeps_bodies: bool = True
    seed: int = 7


@dataclass
class Seen:
    """What the server has seen."""

    requests: Counter[str] = field(default_factory=Counter)
    """By the first user's message that is not an example's."""
    answered: Counter[str] = field(default_factory=Counter)
    """Complete valid answers sent."""
    repeated: list[str] = field(default_factory=list)
    """Asked again although its complete valid answer had been sent."""
    bodies: list[dict[str, object]] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    def counts(self) -> dict[str, object]:
        """What can be said over HTTP."""
        return {
            "n_requests": self.requests.total(),
            "n_answered": self.answered.total(),
            "n_questions": len(self.requests),
            "repeated": self.repeated,
            "faults": self.faults,
        }


class ModelServer:
    """The server in a thread, on a free port of the loopback."""

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        self.behaviour = behaviour or Behaviour()
        self.seen = Seen()
        self.url = ""
        self._random = random.Random(self.behaviour.seed)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self.serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()
        self._loop.close()

    async def serve(self) -> None:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=1024)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        self._ready.set()
        await self._stopped.wait()
        server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if head.startswith(b"GET "):
                    is_models = head.startswith(b"GET /v1/models ")
                    _send(writer, 200, {"data": [{"id": self.behaviour.model}]} if is_models else self.seen.counts())
                    continue
                headers = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:] if line)
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                is_waited_for = await self._answer(body, headers, reader, writer)
                if not is_waited_for:
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(
        self,
        body: dict[str, object],
        headers: dict[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Answers one request; False where the connection is to be closed."""
        prompt = _question(body)
        if self.behaviour.keeps_bodies:
            self.seen.bodies.append(body)
        self.seen.requests[prompt] += 1
        if self.seen.answered[prompt]:
            self.seen.repeated.append(prompt)
        if self.behaviour.latency_s:
            await asyncio.sleep(self.behaviour.latency_s)
        if self.behaviour.key and headers.get("authorization") != f"bearer {self.behaviour.key}":
            return _send(writer, 401, {"error": "no key"})
        if body["model"] != self.behaviour.model:
            return _send(writer, 404, {"error": f"The model {body['model']} does not exist."})
        if "response_format" in body and not self.behaviour.has_schemas:
            return _send(writer, 400, {"error": "response_format json_schema is not supported"})
        drawn = self._random.random()
        fault = int(drawn / self.behaviour.fault_rate) if self.behaviour.fault_rate else len(FAULTS)
        if fault < len(FAULTS):
            self.seen.faults[FAULTS[fault]] += 1
            return await self._fail(FAULTS[fault], prompt, reader, writer)
        self.seen.answered[prompt] += 1
        return _send(writer, 200, self._completion(self.behaviour.answer(prompt)))

    async def _fail(self, fault: str, prompt: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if fault == "busy":
            return _send(writer, 429, {"error": "busy"}, f"Retry-After: {self.behaviour.retry_after}\r\n")
        if fault == "broken":
            return _send(writer, 500, {"error": "broken"})
        if fault == "nonsense":
            return _send(writer, 200, self._completion("죄송하지만 JSON으로는 답할 수 없습니다."))
        if fault == "late":
            await asyncio.sleep(self.behaviour.late_s)
            if reader.at_eof():
                return False
            self.seen.answered[prompt] += 1
            return _send(writer, 200, self._completion(self.behaviour.answer(prompt)))
        if fault == "half":
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"choices": [{"mess')
            await writer.drain()
            return False
        writer.transport.abort()
        return False

    def _completion(self, text: str) -> dict[str, object]:
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": self.behaviour.finish_reason,
        }
        return {"choices": [choice], "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}}


def _question(body: dict[str, object]) -> str:
    messages = body["messages"]
    assert isinstance(messages, list)
    users = [message["content"] for message in messages if message["role"] == "user"]
    return str(next((text for text in users if not text.startswith(("방금 출력은", "That output"))), users[0]))


def _send(writer: asyncio.StreamWriter, status: int, value: object, headers: str = "") -> bool:
    body = json.dumps(value, ensure_ascii=False).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    writer.write(head.encode() + body)
    return True


@contextmanager
def served(*, latency_s: float = 0.0, fault_rate: float = 0.0, late_s: float = 0.1) -> Iterator[str]:
    """Runs the server in a process of its own and yields its address."""
    options = {"--latency": latency_s, "--fault-rate": fault_rate, "--late": late_s}
    command = [sys.executable, str(Path(__file__)), *(str(part) for pair in options.items() for part in pair)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def seen(url: str) -> dict[str, int | list[str] | dict[str, int]]:
    """What a server in a process of its own has seen until now."""
    with urllib.request.urlopen(f"{url}/seen", timeout=30) as response:
        found: dict[str, int | list[str] | dict[str, int]] = json.load(response)
    return found


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--fault-rate", type=float, default=0.0)
    parser.add_argument("--late", type=float, default=0.1)
    options = parser.parse_args()
    server = ModelServer(
        Behaviour(latency_s=options.latency, fault_rate=options.fault_rate, late_s=options.late, keeps_bodies=False)
    )
    serving = asyncio.create_task(server.serve())
    while not server.url:
        await asyncio.sleep(0.01)
    print(server.url, flush=True)
    await serving


if __name__ == "__main__":
    asyncio.run(main())
