"""What people get wrong on the command line: each is told in one line, and nothing is written over or left behind."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from a_command import ko_synth_llm
from a_task import a_folder, a_task
from ko_synth_llm import Reply, run
from ko_synth_llm._files import InputError, write_jsonl
from ko_synth_llm.asking import Request
from model_server import Behaviour, ModelServer

GOLDEN = Path(__file__).parents[3] / "docs/formats/golden"
RECORDED = Path(__file__).parent / "replies" / "recorded"
NOBODY = ("--backend", "openai", "--model", "tiny", "--base-url", "http://127.0.0.1:9/v1")


class Nobody:
    """A backend that is not to be asked."""

    model = "nobody"
    revision = ""

    async def reply(self, request: Request, /) -> Reply:
        raise AssertionError(request)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "in.jsonl", [{"id": "a", "text": "질문"}])
    return tmp_path / "in.jsonl"


@pytest.fixture
def task(tmp_path: Path) -> Path:
    return a_folder(tmp_path / "echo")


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Answers of `documents`."""
    backend = ("--backend", f"recorded:{RECORDED / 'recording.jsonl'}")
    ko_synth_llm("run", "documents", RECORDED / "documents.jsonl", "-o", tmp_path / "answers.jsonl", *backend)
    return tmp_path / "answers.jsonl"


def told(*arguments: object) -> str:
    """The one line that a failing command says."""
    done = ko_synth_llm(*arguments, ok=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    return line.removeprefix("error: ")


def test_a_run_does_not_write_over_its_input(task: Path, source: Path) -> None:
    before = source.read_bytes()
    assert told("run", task, source, "-o", source, *NOBODY) == (
        f"{source}: is read here and would be written over: give another -o"
    )
    assert "in.jsonl: is read here" in told("run", task, source, "-o", "a.jsonl", "--rejected", source, *NOBODY)
    assert source.read_bytes() == before


def test_a_run_does_not_write_over_its_recording(task: Path, source: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "r.jsonl", [])
    recorded = ("--backend", f"recorded:{tmp_path / 'r.jsonl'}")
    assert "r.jsonl: is read here" in told("run", task, source, "-o", tmp_path / "r.jsonl", *recorded)


def test_answers_and_rejects_do_not_go_to_one_file(task: Path, source: Path, tmp_path: Path) -> None:
    places = ("-o", tmp_path / "a.jsonl", "--rejected", tmp_path / "a.jsonl")
    assert told("run", task, source, *places, *NOBODY).endswith(
        "a.jsonl: would be written twice: give the outputs different names"
    )


def test_a_folder_is_no_place_for_answers_and_that_is_told_before_the_first_request(
    task: Path, source: Path, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    with ModelServer() as server:
        model = ("--backend", "openai", "--model", "tiny", "--base-url", server.url)
        assert told("run", task, source, "-o", tmp_path / "folder", *model).endswith(
            "folder: is a folder, wanted a file to write"
        )
        assert server.seen.requests.total() == 0


def test_filtering_does_not_write_over_the_rejects_that_it_counts(answers: Path, tmp_path: Path) -> None:
    places = ("-o", tmp_path / "p.jsonl", "--rejected", tmp_path / "answers.rejected.jsonl")
    assert "answers.rejected.jsonl: is read here" in told("filter", answers, *places, "--passages", GOLDEN / "passages")


def test_a_corpus_with_generated_passages_does_not_take_the_place_of_the_real_one(
    answers: Path, tmp_path: Path
) -> None:
    corpus = tmp_path / "passages"
    corpus.mkdir()
    (corpus / "corpus.jsonl").write_bytes((GOLDEN / "passages/corpus.jsonl").read_bytes())
    command = ("convert", answers, "-o", corpus, "--source", RECORDED / "documents.jsonl", "--passages", corpus)
    assert "corpus.jsonl: is read here" in told(*command)
    assert (corpus / "corpus.jsonl").read_bytes() == (GOLDEN / "passages/corpus.jsonl").read_bytes()


def test_a_run_that_gets_no_answer_leaves_nothing_behind(task: Path, source: Path, tmp_path: Path) -> None:
    with ModelServer() as server:
        model = ("--backend", "openai", "--model", "tyni", "--base-url", server.url)
        assert told("run", task, source, "-o", tmp_path / "a.jsonl", *model) == (
            f"{server.url}: has no model 'tyni'; it has 'tiny'"
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["echo", "in.jsonl"]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--thinking", "maybe"), "--thinking maybe: wanted on, off or a number of tokens from 1"),
        (("--sampling", "max_token=9"), "--sampling max_token=9: there is no 'max_token'; did you mean 'max_tokens'?"),
        (("--sampling", "seed"), "--sampling seed: wanted NAME=VALUE; known are temperature"),
        (("--engine", "dtyp=auto"), "--engine dtyp=auto: there is no 'dtyp'; did you mean 'dtype'?"),
    ],
)
def test_a_setting_that_there_is_not_is_named_with_those_there_are(
    task: Path, source: Path, tmp_path: Path, option: tuple[str, str], said: str
) -> None:
    assert told("run", task, source, "-o", tmp_path / "a.jsonl", *NOBODY, *option).startswith(said)


def test_a_misspelt_setting_of_a_task_is_named_with_the_nearest(task: Path, source: Path, tmp_path: Path) -> None:
    file = task / "task.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("max_tokens", "max_token"), encoding="utf-8")
    assert told("run", task, source, "-o", tmp_path / "a.jsonl", *NOBODY) == (
        f"{file}: there is no setting 'max_token' in sampling; did you mean 'max_tokens'?"
    )


@pytest.mark.parametrize("option", ["--min-hangul", "--max-copied", "--near"])
def test_a_share_is_no_percentage(answers: Path, tmp_path: Path, option: str) -> None:
    command = ("filter", answers, "-o", tmp_path / "p.jsonl", "--passages", GOLDEN / "passages", option, "80")
    done = ko_synth_llm(*command, ok=False)
    assert done.returncode == 2
    assert f"Invalid value for '{option}'" in done.stderr


def test_null_is_not_said_to_be_missing(task: Path, tmp_path: Path) -> None:
    source, output = tmp_path / "null.jsonl", tmp_path / "a.jsonl"
    write_jsonl(source, [{"id": "a", "text": None}, {"id": "", "text": "가"}, {"id": "", "text": "나"}])
    write_jsonl(tmp_path / "r.jsonl", [])
    ko_synth_llm("run", task, source, "-o", output, "--backend", f"recorded:{tmp_path / 'r.jsonl'}", ok=False)
    rejects = (tmp_path / "a.rejected.jsonl").read_text(encoding="utf-8").splitlines()
    assert "null.jsonl:1: 'text' is null, but task 'echo' needs a text there" in rejects[0]
    assert "null.jsonl:3: 'id' is \\\"\\\", but task 'echo' needs a text there" in rejects[2]


@pytest.mark.parametrize("styles", [["keyword", "haiku"], "question", [], 3])
def test_styles_that_there_are_not_make_their_record_a_reject_and_ask_nothing(tmp_path: Path, styles: object) -> None:
    source = tmp_path / "passages.jsonl"
    write_jsonl(source, [{"_id": "a#0", "text": "가나다라", "styles": styles}])
    done = ko_synth_llm("run", "queries", source, "-o", tmp_path / "a.jsonl", *NOBODY, ok=False)
    assert "1 of 1 records were rejected (record: 1)" in done.stderr
    reject = (tmp_path / "a.rejected.jsonl").read_text(encoding="utf-8")
    assert "wanted a list of some of keyword, question, colloquial, code_mixed, english" in reject


def test_a_record_that_is_no_mapping_is_told_by_its_place(tmp_path: Path) -> None:
    records: list[Any] = [{"id": "a", "text": "질문"}, "질문"]
    with pytest.raises(InputError, match=r"record 2: is '질문'; wanted a mapping of field names to values"):
        list(run(a_task(tmp_path), records, Nobody()))


@pytest.fixture
def heeded_ctrl_c() -> Iterator[None]:
    """Tests may run where Ctrl-C is ignored (`pytest &` in a script), and what they start inherits that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded_ctrl_c")
def test_a_run_that_is_interrupted_says_how_it_goes_on(task: Path, source: Path, tmp_path: Path) -> None:
    with ModelServer(Behaviour(latency_s=60.0)) as server:
        code = "from ko_synth_llm.cli import main; main()"
        model = ("--backend", "openai", "--model", "tiny", "--base-url", server.url)
        command = [sys.executable, "-c", code, "run", str(task), str(source), "-o", str(tmp_path / "a.jsonl"), *model]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            while not server.seen.requests and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate()
    assert (process.returncode, said) == (130, "stopped: run the same command again to go on\n")
