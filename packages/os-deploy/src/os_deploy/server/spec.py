"""Which development server is wanted, and where its files live.

A server is one folder; everything that is shared between servers (downloads, the unpacked distribution) is read-only
and lies beside them in the user's cache.
"""

import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from os_deploy._files import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSpec:
    """What `server start` is asked for."""

    port: int = 9200
    """HTTP port of the first node; further nodes take the next ports, and transport is 100 above."""
    heap: str = "1g"
    """Java heap of each node, as Java writes it."""
    n_nodes: int = 1
    models: bool = True
    """With ML Commons and the PyTorch natives, for models on the server."""
    security: bool = False
    """With TLS and users."""
    quick: bool = False
    """Starts sooner and runs slower: compiles with Java's first compiler only. Not for benchmarks."""

    settings: tuple[str, ...] = ()
    """More lines of opensearch.yml, as name=value."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d+[mg]", self.heap):
            raise InputError(f"--heap: found {self.heap!r}, wanted a number and m or g, such as 1g")
        if not 1 <= self.n_nodes <= 5:
            raise InputError(f"--nodes: found {self.n_nodes}, wanted 1 to 5")
        if wrong := [s for s in self.settings if not re.fullmatch(r"[\w.]+=[^\n]+", s)]:
            raise InputError(f"--setting: found {wrong[0]!r}, wanted name=value")
        if not 1024 <= self.port <= 65_000:
            raise InputError(f"--port: found {self.port}, wanted 1024 to 65000")


def cache_folder() -> Path:
    """The folder for what can be fetched or made again: `os-deploy` in the user's cache."""
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/os-deploy"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "os-deploy"


def server_folder(name: str) -> Path:
    """The folder of the server of that name; InputError where the name cannot be a folder's."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
        raise InputError(f"--name: found {name!r}, wanted lower-case letters, digits, dots and dashes")
    return cache_folder() / "servers" / name


def runs_models_here() -> bool:
    """Whether the PyTorch natives for models on the server exist for this machine: x86_64 Linux only."""
    return sys.platform == "linux" and platform.machine() in ("x86_64", "AMD64")
