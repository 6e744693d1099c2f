import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sparse_encoder._files import InputError
from sparse_encoder.cli import app
from sparse_encoder.pushing import files_to_push
from typer.testing import CliRunner


class Hub(ThreadingHTTPServer):
    """A stand-in of the hub that takes commits: small files in the commit, weights by git LFS's basic transfer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Requests)
        self.large: dict[str, bytes] = {}
        self.committed: dict[str, bytes] = {}
        self.tokens: set[str] = set()


class Requests(BaseHTTPRequestHandler):
    server: Hub

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.tokens.add(self.headers.get("authorization", ""))
        at = f"http://127.0.0.1:{self.server.server_port}"
        if self.headers.get("authorization") == "Bearer wrong":
            self.answer(401, {"error": "Invalid username or password."})
        elif self.path == "/api/repos/create":
            self.answer(200, {"url": f"{at}/ko/small"})
        elif self.path == "/api/validate-yaml":
            self.answer(200, {"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            modes = {".safetensors": "lfs"}
            self.answer(
                200,
                {
                    "files": [
                        {
                            "path": f["path"],
                            "uploadMode": modes.get(Path(f["path"]).suffix, "regular"),
                            "shouldIgnore": False,
                        }
                        for f in json.loads(body)["files"]
                    ]
                },
            )
        elif self.path.endswith("/info/lfs/objects/batch"):
            self.answer(
                200,
                {
                    "transfer": "basic",
                    "objects": [
                        {**o, "actions": {"upload": {"href": f"{at}/store/{o['oid']}"}}}
                        for o in json.loads(body)["objects"]
                    ],
                },
            )
        elif "/commit/" in self.path:
            self.commit([json.loads(line) for line in body.splitlines()])
            self.answer(200, {"commitUrl": f"{at}/ko/small/commit/1", "commitOid": "1"})
        else:
            self.answer(404, {"error": f"no such address: {self.path}"})

    def commit(self, lines: list[dict]) -> None:
        for line in lines:
            if line["key"] == "file":
                self.server.committed[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            elif line["key"] == "lfsFile":
                self.server.committed[line["value"]["path"]] = self.server.large[line["value"]["oid"]]

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["content-length"]))
        assert self.path == f"/store/{hashlib.sha256(data).hexdigest()}"
        self.server.large[self.path.removeprefix("/store/")] = data
        self.answer(200, {})

    def answer(self, status: int, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: pytest's output is for failures."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def model(golden: Path, tmp_path: Path) -> Path:
    shutil.copytree(golden / "model", tmp_path / "m")
    (tmp_path / "m" / "README.md").write_text("---\nlicense: apache-2.0\n---\n# 한국어 모델\n", encoding="utf-8")
    (tmp_path / "m" / ".secret").write_text("stays here")
    return tmp_path / "m"


def push(hub: Hub, model: Path, *options: str, token: str = "hf_t") -> subprocess.CompletedProcess[str]:
    endpoint = f"http://127.0.0.1:{hub.server_port}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    told = {"HF_ENDPOINT": endpoint, "HF_HOME": str(model.parent / "home"), "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-m", "sparse_encoder", "push", str(model), "ko/small", *options]
    environment = kept | told | ({"HF_TOKEN": token} if token else {})
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_every_file_arrives_as_it_is(hub: Hub, model: Path) -> None:
    done = push(hub, model)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("/ko/small/commit/1")
    wanted = {f.relative_to(model).as_posix(): f.read_bytes() for f in files_to_push(model)}
    assert hub.committed == wanted
    assert ".secret" not in wanted
    assert hub.tokens == {"Bearer hf_t"}


def test_a_dry_run_prints_the_files_and_sends_nothing(hub: Hub, model: Path) -> None:
    done = push(hub, model, "--dry-run", token="")
    assert done.returncode == 0
    names = [line.split()[-1] for line in done.stdout.splitlines()]
    assert names == [f.relative_to(model).as_posix() for f in files_to_push(model)]
    assert not hub.tokens


def test_a_token_is_wanted_from_the_environment(hub: Hub, model: Path) -> None:
    done = push(hub, model, token="")
    assert done.returncode == 1
    assert done.stderr.startswith("error: HF_TOKEN is not set")


def test_what_the_hub_refuses_is_one_sentence(hub: Hub, model: Path) -> None:
    done = push(hub, model, token="wrong")
    assert done.returncode == 1
    assert "ko/small: the hub did not take it" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_without_a_card_is_refused(golden: Path) -> None:
    with pytest.raises(InputError, match=r"has no README\.md; write one with: sparse-encoder card"):
        files_to_push(golden / "model")


@pytest.mark.parametrize("name", ["bad name!!", "small", "ko/", "ko/a--b", "ko/a..b", "ko/-a", "a/b/c"])
def test_a_name_that_the_hub_does_not_take_is_refused_in_a_dry_run_too(golden: Path, name: str) -> None:
    with pytest.raises(InputError, match=f"'{name}': is no name on the hub; wanted owner/name"):
        CliRunner().invoke(app, ["push", str(golden / "model"), name, "--dry-run"], catch_exceptions=False)
