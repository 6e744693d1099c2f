"""Judge runs and vectors, compare systems, explain failures, draw.

The names below load their module on first use, so that importing this package costs nothing.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparse_eval.comparison import Draws as Draws
    from sparse_eval.comparison import System as System
    from sparse_eval.comparison import compare as compare
    from sparse_eval.comparison import measure as measure
    from sparse_eval.explaining import explain as explain
    from sparse_eval.explaining import outcomes as outcomes
    from sparse_eval.measuring import Judged as Judged
    from sparse_eval.measuring import judge as judge
    from sparse_eval.resampling import bootstrap as bootstrap
    from sparse_eval.resampling import permutation_p as permutation_p
    from sparse_eval.runs import read_qrels as read_qrels
    from sparse_eval.runs import read_run as read_run
    from sparse_eval.sparsity import flops as flops

__version__ = version("sparse-eval")

_HOMES = {
    "Draws": "comparison",
    "Judged": "measuring",
    "System": "comparison",
    "bootstrap": "resampling",
    "compare": "comparison",
    "explain": "explaining",
    "flops": "sparsity",
    "judge": "measuring",
    "measure": "comparison",
    "outcomes": "explaining",
    "permutation_p": "resampling",
    "read_qrels": "runs",
    "read_run": "runs",
}

__all__ = [
    "Draws",
    "Judged",
    "System",
    "__version__",
    "bootstrap",
    "compare",
    "explain",
    "flops",
    "judge",
    "measure",
    "outcomes",
    "permutation_p",
    "read_qrels",
    "read_run",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
