"""The check of GPU memory: what weights take, whether they fit, and what to change where they do not."""

import json
import os
from pathlib import Path

import pytest
from ko_synth_llm import InputError
from ko_synth_llm.engine import Engine
from ko_synth_llm.gpu_memory import Gpu, Weights, check_memory, free_memory, misfit, stored_weights

FREE = Gpu(free=39.0, total=40.0)


def a_model(folder: Path, **config: object) -> Path:
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with (folder / "model.safetensors").open("wb") as file:
        file.truncate(3 << 30)
    return folder


@pytest.mark.parametrize(
    ("config", "bits"),
    [({"dtype": "bfloat16"}, 16), ({"torch_dtype": "float32"}, 32), ({"quantization_config": {}}, 0), ({}, 16)],
)
def test_stored_weights_are_the_files_of_a_folder(tmp_path: Path, config: dict[str, object], bits: int) -> None:
    assert stored_weights(str(a_model(tmp_path, **config))) == Weights(gib=3.0, bits=bits)


def test_weights_that_do_not_fit_say_what_to_change() -> None:
    said = misfit(Weights(gib=57.0, bits=16), Engine(), [FREE, FREE])
    assert said == (
        "its weights take about 57.0 GiB, with working memory 58.0 on each of 1 GPUs, but 36.0 may be used there now: "
        "--engine quantization=fp8 (about 28.5 GiB each); --engine tensor_parallel_size=2; "
        "--engine cpu_offload_gb=22 (slower); a smaller model"
    )


@pytest.mark.parametrize(
    "engine",
    [
        Engine(quantization="fp8"),
        Engine(quantization="int8"),
        Engine(tensor_parallel_size=2),
        Engine(cpu_offload_gb=22),
    ],
)
def test_each_change_that_is_named_makes_it_fit(engine: Engine) -> None:
    assert misfit(Weights(gib=57.0, bits=16), engine, [FREE, FREE]) == ""


def test_a_gpu_that_is_in_use_is_named_as_such() -> None:
    assert "end what else uses the GPU" in misfit(Weights(gib=16.0, bits=16), Engine(), [Gpu(free=4.0, total=40.0)])


def test_more_parts_than_gpus_are_refused() -> None:
    assert "but 1 GPUs are visible" in misfit(Weights(gib=1.0, bits=16), Engine(tensor_parallel_size=2), [FREE])


def test_the_program_that_knows_the_gpus_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho '2048, 40960'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert free_memory() == [Gpu(free=2.0, total=40.0)]
    with pytest.raises(InputError, match=r"its weights take about 3\.0 GiB"):
        check_memory(str(a_model(tmp_path)), Engine())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert free_memory() == []


def test_a_model_that_is_not_here_yet_is_not_judged() -> None:
    assert stored_weights("nobody/nothing") is None
