"""Starts, watches and stops the nodes of a development server.

A server outlives the command that started it, so what identifies it is written down in `server.json`, and a process is
signalled only when it is still the one that was started.
"""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from os_deploy._files import InputError, read_json, write_json
from os_deploy.server.assembly import NATIVES, Flavour, assemble
from os_deploy.server.runtime import JavaRuntime, find_java
from os_deploy.server.security import PASSWORD, SETTINGS, USER, make_certificates, write_credentials
from os_deploy.server.spec import ServerSpec, cache_folder, runs_models_here

START_TIMEOUT_S = 240.0
STOP_TIMEOUT_S = 30.0


class RunningServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server that was started: where it answers and which processes it is."""

    url: str
    pids: list[int]
    """One for each node, the first node's first."""
    models: bool
    security: bool = False
    ca_file: str = ""
    """The authority that signed its certificate, where it has one."""
    credentials_file: str = ""
    """Who may do everything there, where it has users."""


class _Health(msgspec.Struct, frozen=True):
    status: str
    number_of_nodes: int


@dataclass(frozen=True, slots=True)
class Node:
    """One node's place: its folder and ports."""

    number: int
    folder: Path
    http_port: int

    @property
    def transport_port(self) -> int:
        """Where other nodes reach it."""
        return self.http_port + 100


def start(spec: ServerSpec, folder: Path, *, timeout_s: float = START_TIMEOUT_S) -> RunningServer:
    """Starts the server in `folder` and returns when it is ready; one that already runs there is returned as it is."""
    running = find(folder)
    if running is not None:
        return running
    if is_taken(spec.port):
        raise InputError(f"port {spec.port}: something listens there: choose another with --port")
    java = find_java()
    models = spec.models and runs_models_here()
    home = assemble(Flavour(models=models, security=spec.security, locales=not java.has_locales), cache_folder())
    if spec.security:
        make_certificates(folder / "certificates")
        write_credentials(folder / "credentials.json")
    nodes = [Node(i, folder / f"node-{i}", spec.port + i - 1) for i in range(1, spec.n_nodes + 1)]
    for node in nodes:
        _prepare(node, nodes, home=home, java=java, spec=spec)
    server = _launch(nodes, home=home, java=java, spec=spec, folder=folder)
    try:
        _wait(server, nodes, timeout_s)
    except BaseException:
        stop(folder)
        raise
    return server


def find(folder: Path) -> RunningServer | None:
    """The server that runs in `folder`: None where none was started, or where it has ended."""
    state = folder / "server.json"
    if not state.is_file():
        return None
    server = read_json(state, RunningServer)
    return server if any(is_ours(pid, folder) for pid in server.pids) else None


def stop(folder: Path) -> bool:
    """Ends the server in `folder`, each node in good order first; whether there was one. Its data stay."""
    server = find(folder)
    if server is None:
        return False
    for pid in server.pids:
        end_process(pid, folder)
    (folder / "server.json").unlink(missing_ok=True)
    return True


def end_process(pid: int, folder: Path) -> None:
    """Ends one node: asked first, then killed."""
    for kind, patience_s in ((signal.SIGTERM, STOP_TIMEOUT_S), (signal.SIGKILL, 5.0)):
        if not is_ours(pid, folder):
            return
        os.kill(pid, kind)
        until = time.monotonic() + patience_s
        while time.monotonic() < until and is_ours(pid, folder):
            _reap(pid)
            time.sleep(0.1)


def is_ours(pid: int, folder: Path) -> bool:
    """Whether that process lives and is a node of the server in `folder`, not a later process of the same number.

    Every command line of a node, from its launcher's to Java's, names its data folder.
    """
    shown = subprocess.run(
        ["ps", "-ww", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return str(folder.resolve()) in shown.stdout and not shown.stdout.lstrip().startswith("Z")


def is_taken(port: int) -> bool:
    """Whether something listens on that port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_answering(server: RunningServer) -> bool:
    """Whether the server answers and is not red."""
    request = urllib.request.Request(f"{server.url}/_cluster/health?local=true")
    if server.security:
        request.add_header("Authorization", "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode())
    context = ssl.create_default_context(cafile=server.ca_file) if server.ca_file else None
    try:
        with urllib.request.urlopen(request, timeout=3, context=context) as answer:
            health = msgspec.json.decode(answer.read(), type=_Health)
    except (OSError, msgspec.MsgspecError):
        return False
    return health.status in ("green", "yellow") and health.number_of_nodes == len(server.pids)


def log_tail(folder: Path, n_lines: int) -> list[str]:
    """The last lines that each node wrote."""
    tails: list[str] = []
    for path in sorted(folder.glob("node-*/console.log")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        tails += [f"== {path.parent.name}", *lines[-n_lines:]]
    return tails


def log_reasons(folder: Path) -> list[str]:
    """The last lines that name an error, without the stacks below them."""
    lines = (line.strip() for line in log_tail(folder, 500))
    return [
        line[:500] for line in lines if re.search(r"(Exception|Error)\b|^Error|\bfatal\b", line) and "\tat " not in line
    ][-5:]


def _reap(pid: int) -> None:
    """Collects an ended child, so that it does not linger; other processes' children are not ours to wait for."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _prepare(node: Node, nodes: list[Node], *, home: Path, java: JavaRuntime, spec: ServerSpec) -> None:
    """Writes a node's configuration anew; its data stay."""
    config = node.folder / "config"
    shutil.rmtree(config, ignore_errors=True)
    shutil.copytree(home / "config", config)
    (config / "analysis").mkdir(exist_ok=True)
    text = settings(node, nodes, models=(home / "ml_cache").is_dir(), more=spec.settings)
    if spec.security:
        for certificate in (node.folder.parent / "certificates").glob("*.pem"):
            shutil.copy(certificate, config / certificate.name)
        text += SETTINGS
    (config / "opensearch.yml").write_text(text, encoding="utf-8")
    for name in ("data", "logs", "tmp"):
        (node.folder / name).mkdir(exist_ok=True)
    if not java.has_vectors:
        options = config / "jvm.options"
        line = "20-:--add-modules=jdk.incubator.vector"
        options.write_text(options.read_text(encoding="utf-8").replace(line, f"#{line}"), encoding="utf-8")
    natives = node.folder / "data/ml_cache" / NATIVES
    if (home / "ml_cache").is_dir() and not natives.exists():
        natives.parent.mkdir(parents=True, exist_ok=True)
        natives.symlink_to(home / "ml_cache" / NATIVES)


def settings(node: Node, nodes: list[Node], *, models: bool, more: Sequence[str] = ()) -> str:
    """A node's `opensearch.yml`."""
    lines = [
        "cluster.name: os-deploy",
        f"node.name: node-{node.number}",
        "network.host: 127.0.0.1",
        f"http.port: {node.http_port}",
        f"transport.port: {node.transport_port}",
        f"path.logs: {node.folder / 'logs'}",
        "cluster.routing.allocation.disk.threshold_enabled: false",
    ]
    if len(nodes) == 1:
        lines.append("discovery.type: single-node")
    else:
        seeds = ", ".join(f'"127.0.0.1:{n.transport_port}"' for n in nodes)
        names = ", ".join(f"node-{n.number}" for n in nodes)
        lines += [f"discovery.seed_hosts: [{seeds}]", f"cluster.initial_cluster_manager_nodes: [{names}]"]
    if models:
        wanted = {
            "only_run_on_ml_node": "false",
            "native_memory_threshold": "100",
            "jvm_heap_memory_threshold": "100",
            "disk_free_space_threshold": "100mb",
            "allow_registering_model_via_url": "true",
            "allow_registering_model_via_local_file": "true",
        }
        lines += [f"plugins.ml_commons.{name}: {value}" for name, value in wanted.items()]
    lines += [setting.replace("=", ": ", 1) for setting in more]
    return "\n".join(lines) + "\n"


def _launch(nodes: list[Node], *, home: Path, java: JavaRuntime, spec: ServerSpec, folder: Path) -> RunningServer:
    pids = []
    for node in nodes:
        options = f"-Xms{spec.heap} -Xmx{spec.heap} -XX:-UsePerfData"
        environment = {
            **os.environ,
            "OPENSEARCH_JAVA_HOME": str(java.home),
            "OPENSEARCH_PATH_CONF": str(node.folder / "config"),
            "OPENSEARCH_TMPDIR": str(node.folder / "tmp"),
            "OPENSEARCH_JAVA_OPTS": f"{options} -XX:TieredStopAtLevel=1" if spec.quick else options,
        }
        with (node.folder / "console.log").open("wb") as log:
            process = subprocess.Popen(
                [*_as_user(), str(home / "bin/opensearch"), f"-Epath.data={node.folder / 'data'}"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process.returncode = 0  # it outlives this command, of which Popen would warn
        pids.append(process.pid)
    server = RunningServer(
        url=f"{'https' if spec.security else 'http'}://127.0.0.1:{spec.port}",
        pids=pids,
        models=(home / "ml_cache").is_dir(),
        security=spec.security,
        ca_file=str(folder / "certificates/ca.pem") if spec.security else "",
        credentials_file=str(folder / "credentials.json") if spec.security else "",
    )
    write_json(folder / "server.json", server)
    return server


def _as_user() -> list[str]:
    """What must stand before the command: OpenSearch refuses to run as root, so root runs it under another name."""
    if os.geteuid() != 0:
        return []
    mapped = ["unshare", "-U", "--map-user=1000", "--map-group=1000"]
    try:
        can_map = subprocess.run([*mapped, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        can_map = False
    if not can_map:
        raise InputError(
            "OpenSearch refuses to run as root, and `unshare` cannot map another user: run as a normal user"
        )
    return mapped


def _wait(server: RunningServer, nodes: list[Node], timeout_s: float) -> None:
    folder = nodes[0].folder.parent
    began = time.monotonic()
    while not is_answering(server):
        ended = [node for node, pid in zip(nodes, server.pids, strict=True) if _has_ended(pid)]
        if ended or time.monotonic() - began > timeout_s:
            what = "ended" if ended else f"was not ready after {timeout_s:.0f} s"
            why = "\n  ".join(log_reasons(folder) or log_tail(folder, 15))
            raise InputError(f"{folder}: the server {what} (os-deploy server logs):\n  {why}")
        time.sleep(0.3)
    print(f"ready after {time.monotonic() - began:.0f} s", file=sys.stderr)


def _has_ended(pid: int) -> bool:
    try:
        ended, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return True
    return ended == pid
