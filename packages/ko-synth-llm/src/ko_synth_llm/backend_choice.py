"""Opens the backend that a command line names, loading the libraries of that one only.

Four kinds make a choice, not a registry.
"""

from dataclasses import dataclass
from pathlib import Path

from ._files import InputError
from .backends import Backend, RecordedBackend, recording_revision
from .engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How a model is reached; a recording needs none of it."""

    model: str = ""
    base_url: str = "https://api.openai.com/v1"
    concurrency: int = 64
    timeout_s: float = 120.0
    max_retries: int = 6
    requests_per_minute: float = 0.0
    """0 for no limit, as for tokens."""
    tokens_per_minute: float = 0.0
    engine: Engine = Engine()
    """For a model that is loaded into this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A model by what is in the keys of its answers."""

    model: str
    revision: str


def recording_of(name: str) -> Path | None:
    """The recording that a backend's name holds, if it does.

    >>> str(recording_of("recorded:replies.jsonl")), recording_of("openai")
    ('replies.jsonl', None)
    """
    kind, _, place = name.partition(":")
    return Path(place) if kind == "recorded" and place else None


def named(name: str, connection: Connection) -> Named:
    """The model of a backend that is not opened, for what needs no answer from it."""
    if recording := recording_of(name):
        return Named(model=RecordedBackend.model, revision=recording_revision(recording))
    _check(name, connection)
    return Named(model=connection.model, revision="" if name == "openai" else connection.engine.weights)


def open_backend(name: str, task: str, connection: Connection) -> Backend:
    """The backend of a name such as `recorded:replies.jsonl`, `openai`, `vllm` or `transformers`."""
    if recording := recording_of(name):
        return RecordedBackend(recording, task)
    _check(name, connection)
    try:
        if name == "openai":
            from .openai_server import OpenAIBackend

            return OpenAIBackend(connection)
        if name == "vllm":
            from .vllm_engine import VllmBackend

            return VllmBackend(connection.model, connection.engine)
        from .transformers_model import TransformersBackend

        return TransformersBackend(connection.model, connection.engine)
    except ImportError as error:
        raise InputError(str(error)) from error


def _check(name: str, connection: Connection) -> None:
    """Raises InputError for a backend that is not known, or needs a model and has none."""
    if name not in {"openai", "vllm", "transformers"}:
        raise InputError(f"--backend {name}: wanted recorded:FILE, openai, vllm or transformers")
    if not connection.model:
        raise InputError(f"--backend {name} needs --model NAME")
