"""A run that is killed goes on where it was: partial work of training, generation and encoding is used again."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import SAMPLE, Pipeline
from .replies import Replies, recorded_replies


def kill_when(pipeline: Pipeline, is_time: Callable[[], bool], *arguments: str, whole_group: bool = True) -> None:
    """Starts a run and kills it with SIGKILL as soon as `is_time`; fails if the run ends before."""
    process = pipeline.start(*arguments)
    deadline = time.monotonic() + 120
    while not is_time():
        assert process.poll() is None, f"the run ended before it could be killed: {process.communicate()}"
        assert time.monotonic() < deadline, "the moment to kill did not come"
        time.sleep(0.002)
    if whole_group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_training_goes_on_from_its_last_checkpoint_and_ends_with_the_same_model(pipeline: Pipeline) -> None:
    pipeline.change(train={"steps": 60, "batch": 8, "checkpoint_every": 5})
    checkpoints = pipeline.made(".work/v1")
    kill_when(pipeline, lambda: any(checkpoints.rglob("*.safetensors")), "--until", "v1")
    result = pipeline.run("--until", "v1")
    assert result.returncode == 0, result.stderr
    assert "goes on after step" in pipeline.log("v1")
    resumed = files(pipeline.made("base_model/neural_sparse_v1_model"))
    assert pipeline.verb("clean", "v1", "--run", pipeline.recipe.stem, "--yes").returncode == 0
    assert pipeline.run("--until", "v1", "--force", "v1").returncode == 0
    assert "goes on after step" not in pipeline.log("v1")
    assert files(pipeline.made("base_model/neural_sparse_v1_model")) == resumed


def test_an_orphan_of_a_killed_run_is_stopped_before_the_next_one_starts(pipeline: Pipeline) -> None:
    pipeline.change(train={"steps": 60, "batch": 8, "checkpoint_every": 5})
    checkpoints = pipeline.made(".work/v1")
    kill_when(pipeline, lambda: any(checkpoints.rglob("*.safetensors")), "--until", "v1", whole_group=False)
    result = pipeline.run("--until", "v1")
    assert result.returncode == 0, result.stderr


@pytest.fixture
def heeded_ctrl_c() -> Iterator[None]:
    """Tests may run where Ctrl-C is ignored (`pytest &` in a script), and what they start inherits that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded_ctrl_c")
def test_ctrl_c_says_that_the_same_command_goes_on(pipeline: Pipeline) -> None:
    pipeline.change(train={"steps": 5000, "batch": 8, "checkpoint_every": 5})  # it must not end before it is stopped
    process = pipeline.start("--until", "v1")
    while not any(pipeline.made(".work/v1").rglob("*.safetensors")):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "stopped: run the same command again to go on"
    assert pipeline.states()["v1"] == "stopped"


def test_generation_asks_no_question_again_whose_answer_had_arrived(pipeline: Pipeline) -> None:
    assert pipeline.run("--until", "v1").returncode == 0
    passages = pipeline.made("base_model/passages/corpus.jsonl")
    server = Replies(recorded_replies(SAMPLE / "recorded" / "queries.jsonl", passages), delay_s=0.05)
    options = ["--base-url", server.url, "--model", "recorded", "--concurrency", "2"]
    pipeline.change(stages={"generate": {"run": generate(options)}})
    try:
        kill_when(pipeline, lambda: server.n_requests >= 12, "--until", "generate")
        before = server.n_requests
        result = pipeline.run("--until", "generate")
        assert result.returncode == 0, result.stderr
    finally:
        server.close()
    n_passages = len(passages.read_text(encoding="utf-8").splitlines())
    assert before >= 12
    assert server.n_requests <= n_passages + 2, "at most the two requests in flight are asked again"


def generate(options: list[str]) -> list[str]:
    """The commands of the stage `generate` with a server as the model."""
    return [
        "ko-synth-llm run queries base_model/passages/corpus.jsonl -o llm_generated/queries.jsonl "
        f"--backend openai --work ${{work}} --cache ${{work}}/cache.sqlite {' '.join(options)}",
        "ko-synth-llm filter llm_generated/queries.jsonl --passages base_model/passages "
        "--pairs base_model/qd_pairs_base.jsonl -o llm_generated/synthetic_qd_pairs.jsonl "
        "--metadata llm_generated/generation_metadata.json",
    ]


def test_encoding_keeps_the_shards_it_had_written(pipeline: Pipeline) -> None:
    pipeline.change(shard=4)
    shards = pipeline.made(".work/encode/v1")
    kill_when(pipeline, lambda: len(list(shards.glob("*.npz"))) >= 2)
    result = pipeline.run()
    assert result.returncode == 0, result.stderr
    assert pipeline.log("encode").count("kept from before") >= 2
    assert pipeline.states()["v2"] == "unchanged"
    resumed = pipeline.made("evaluation/v1_documents.parquet").read_bytes()
    assert pipeline.run("--until", "encode", "--force", "encode").returncode == 0
    assert "kept from before" not in pipeline.log("encode")
    assert pipeline.made("evaluation/v1_documents.parquet").read_bytes() == resumed
