"""What importing costs: no heavy library, and little time."""

import subprocess
import sys
import time

import ko_synth_llm
import pytest


def test_importing_the_core_loads_neither_torch_nor_transformers_nor_aiohttp() -> None:
    code = (
        "import sys, ko_synth_llm, ko_synth_llm.cli; from ko_synth_llm import run, load_task, Cache; "
        "print(sorted({'torch', 'transformers', 'aiohttp', 'vllm', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_importing_takes_less_than_a_fifth_of_a_second() -> None:
    """Without the interpreter's own start, the best of five."""
    code = "import time; t = time.perf_counter(); import ko_synth_llm; print(time.perf_counter() - t)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(5)]
    assert min(float(run.stdout) for run in runs) < 0.2


def test_every_public_name_is_there() -> None:
    started = time.perf_counter()
    assert all(getattr(ko_synth_llm, name) is not None for name in ko_synth_llm.__all__)
    assert time.perf_counter() - started < 30
    with pytest.raises(AttributeError):
        _ = ko_synth_llm.nothing_of_that_name
