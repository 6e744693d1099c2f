"""A small OpenAI-compatible server that answers with the sample's recorded replies, slowly, and counts requests.

It stands in for a model that thinks: what is tested against it is what a kill in the middle of generation costs.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Replies:
    """Serves on a free port of the loopback address until closed."""

    def __init__(self, replies: dict[str, str], *, delay_s: float) -> None:
        """replies: what to answer where the key stands in the last message."""
        self.n_requests = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.n_requests += 1
                time.sleep(delay_s)
                last = asked["messages"][-1]["content"]
                reply = next((reply for text, reply in replies.items() if text in last), "{}")
                body = json.dumps(
                    {
                        "id": "1",
                        "object": "chat.completion",
                        "created": 0,
                        "model": asked["model"],
                        "choices": [
                            {
                                "index": 0,
                                "finish_reason": "stop",
                                "message": {"role": "assistant", "content": reply},
                            }
                        ],
                        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
                    }
                ).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def recorded_replies(recording: Path, passages: Path) -> dict[str, str]:
    """Passage text -> the reply recorded for it."""
    by_id = {r["id"]: r["reply"] for r in map(json.loads, recording.read_text(encoding="utf-8").splitlines())}
    texts = map(json.loads, passages.read_text(encoding="utf-8").splitlines())
    return {passage["text"]: by_id[passage["_id"]] for passage in texts}
