"""What importing brings with it: the public names, and no heavy library (its time: benchmarks/bench_import.py)."""

import subprocess
import sys

import ko_synth_llm
import pytest


def test_importing_the_core_loads_neither_torch_nor_transformers_nor_aiohttp() -> None:
    code = (
        "import sys, ko_synth_llm, ko_synth_llm.cli; from ko_synth_llm import run, load_task, Cache; "
        "print(sorted({'torch', 'transformers', 'aiohttp', 'vllm', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_public_name_is_there() -> None:
    assert all(getattr(ko_synth_llm, name) is not None for name in ko_synth_llm.__all__)
    with pytest.raises(AttributeError):
        _ = ko_synth_llm.nothing_of_that_name
