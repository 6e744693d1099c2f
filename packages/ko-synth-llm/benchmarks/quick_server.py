"""An OpenAI-compatible server that answers the task of `new-task` after a fixed time and does next to nothing else.

A protocol with no framework and a reply made in advance, so that what a benchmark measures is the client.
`python quick_server.py --latency 0.2` prints its address and serves until it is ended.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ANSWER = '{"label":"bug","reason":"오류를 알린다."}'
HEADERS_END = b"\r\n\r\n"
SIZE = b"content-length:"


class Answers(asyncio.Protocol):
    """One connection; requests on it are answered in order, each so long after its last byte."""

    def __init__(self, reply: bytes, latency_s: float) -> None:
        self._reply = reply
        self._latency_s = latency_s
        self._held = b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(HEADERS_END)) >= 0:
            head = self._held[:end].lower()
            at = head.find(SIZE)
            size = int(head[at + len(SIZE) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            whole = end + len(HEADERS_END) + size
            if len(self._held) < whole:
                return
            self._held = self._held[whole:]
            self._loop.call_later(self._latency_s, self._answer)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._reply)


def made_reply() -> bytes:
    """A whole HTTP response with one chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    completion = {"id": "1", "object": "chat.completion", "created": 0, "model": "tiny", "choices": [choice]}
    body = json.dumps({**completion, "usage": usage}, ensure_ascii=False).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@contextmanager
def server(latency_s: float) -> Iterator[str]:
    """Starts the server in a process of its own and yields its address."""
    command = [sys.executable, str(Path(__file__).resolve()), "--latency", str(latency_s)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0, help="Seconds.")
    latency_s = parser.parse_args().latency
    reply = made_reply()
    listening = await asyncio.get_running_loop().create_server(
        lambda: Answers(reply, latency_s), "127.0.0.1", 0, backlog=2048
    )
    print(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1", flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
