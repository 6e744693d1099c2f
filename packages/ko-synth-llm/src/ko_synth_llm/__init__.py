"""Any LLM as a batch function over JSON Lines, with Korean retrieval tasks on top.

Names load what they need when they are first used, so that importing the package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._files import InputError
    from .backend_choice import Connection
    from .backends import Backend, RecordedBackend, Reply, RequestError
    from .batch import BudgetReachedError, Options, run
    from .budget import Budget, Price
    from .cache import Cache
    from .openai_server import OpenAIBackend
    from .outcomes import Answered, Rejected, Result
    from .records import Record, read_records
    from .tasks import Task, load_task

__all__ = [
    "Answered",
    "Backend",
    "Budget",
    "BudgetReachedError",
    "Cache",
    "Connection",
    "InputError",
    "OpenAIBackend",
    "Options",
    "Price",
    "Record",
    "RecordedBackend",
    "Rejected",
    "Reply",
    "RequestError",
    "Result",
    "Task",
    "load_task",
    "read_records",
    "run",
]

_MODULES = {
    "InputError": "_files",
    "Connection": "backend_choice",
    "Backend": "backends",
    "RecordedBackend": "backends",
    "Reply": "backends",
    "RequestError": "backends",
    "BudgetReachedError": "batch",
    "Options": "batch",
    "run": "batch",
    "Budget": "budget",
    "Price": "budget",
    "Cache": "cache",
    "OpenAIBackend": "openai_server",
    "Answered": "outcomes",
    "Rejected": "outcomes",
    "Result": "outcomes",
    "Record": "records",
    "read_records": "records",
    "Task": "tasks",
    "load_task": "tasks",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
