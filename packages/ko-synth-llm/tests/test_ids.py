"""Two records with one id are told of: of a file before anything is asked, of a stream when the second one comes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from a_command import ko_synth_llm
from a_task import a_folder, a_task
from hypothesis import given
from hypothesis import strategies as st
from ko_synth_llm import InputError, Record, Reply, run
from ko_synth_llm._files import write_jsonl
from ko_synth_llm.asking import Request
from ko_synth_llm.ids import SeenIds, check_file
from model_server import ModelServer


def a_file(path: Path, ids: list[str]) -> Path:
    path.write_text("\n".join(f'{{"id":"{name}","text":"질문"}}' if name else "" for name in ids), encoding="utf-8")
    return path


class Echo:
    """Replies at once, and counts."""

    model = "echo"
    revision = ""
    n_requests = 0

    async def reply(self, _: Request, /) -> Reply:
        self.n_requests += 1
        return Reply(text='{"answer": "네"}')


def test_both_lines_of_an_id_are_named_before_the_first_request(tmp_path: Path) -> None:
    source = a_file(tmp_path / "in.jsonl", ["a", "b", "", "x", "c", "d", "x"])
    with ModelServer() as server:
        model = ("--backend", "openai", "--model", "tiny", "--base-url", server.url)
        done = ko_synth_llm("run", a_folder(tmp_path / "echo"), source, "-o", tmp_path / "a.jsonl", *model, ok=False)
        assert server.seen.requests.total() == 0
    assert done.stderr == f"error: {source}:7: the id 'x' stands on line 4 already; ids must differ"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["echo", "in.jsonl"]


def test_a_dry_run_tells_of_it_too(tmp_path: Path) -> None:
    source = a_file(tmp_path / "in.jsonl", ["a", "a"])
    command = ("run", a_folder(tmp_path / "echo"), source, "-o", tmp_path / "a.jsonl", "--backend", "openai")
    done = ko_synth_llm(*command, "--model", "tiny", "--dry-run", ok=False)
    assert "in.jsonl:2: the id 'a' stands on line 1 already" in done.stderr


def test_a_stream_gives_the_results_before_a_repeated_id_and_then_raises(tmp_path: Path) -> None:
    backend = Echo()
    records = ({"id": name, "text": "질문"} for name in ["a", "b", "c", "b", "d"])
    results = run(a_task(tmp_path), records, backend)
    assert [next(results).outcome.record_id for _ in range(3)] == ["a", "b", "c"]
    with pytest.raises(InputError, match=r"^record 4: the id 'b' is that of record 2 already; ids must differ$"):
        next(results)


def test_an_id_is_remembered_however_long_the_stream_is(tmp_path: Path) -> None:
    def records() -> Iterator[dict[str, str]]:
        yield from ({"id": f"r{n}", "text": "질문"} for n in range(3000))
        yield {"id": "r0", "text": "질문"}

    with pytest.raises(InputError, match=r"^record 3001: the id 'r0' is that of record 1 already"):
        list(run(a_task(tmp_path), records(), Echo()))


def test_records_without_an_id_are_rejects_and_no_repeats(tmp_path: Path) -> None:
    outcomes = [result.outcome for result in run(a_task(tmp_path), [{"text": "가"}, {"text": "나"}], Echo())]
    assert [outcome.id for outcome in outcomes] == ["record 1#1", "record 2#1"]


def test_a_pipe_can_be_read_but_once_so_its_ids_are_looked_at_as_they_come(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "r.jsonl", [])
    code = "from ko_synth_llm.cli import main; main()"
    arguments = ["run", a_folder(tmp_path / "echo"), "/dev/stdin", "-o", tmp_path / "a.jsonl"]
    command = [sys.executable, "-c", code, *map(str, arguments), "--backend", f"recorded:{tmp_path / 'r.jsonl'}"]
    lines = '{"id":"a","text":"가"}\n{"id":"b","text":"나"}\n{"id":"a","text":"다"}\n'
    done = subprocess.run(command, input=lines, text=True, capture_output=True, check=False)
    assert (done.returncode, (tmp_path / "a.jsonl").exists()) == (1, False)
    assert "/dev/stdin:3: the id 'a' is that of record 1 already; ids must differ" in done.stderr


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6), max_size=4))
def test_the_first_repeat_is_the_one_that_reading_in_order_meets_first(chunks: list[list[str]]) -> None:
    names = [name for chunk in chunks for name in chunk]
    wanted = next(((n, names.index(name) + 1) for n, name in enumerate(names) if name in names[:n]), None)
    found = None
    with SeenIds("id") as seen:
        for chunk in chunks:
            n_before = seen.n_records
            repeat = seen.repeat([Record(fields={"id": name}, where="") for name in chunk])
            if repeat is not None and found is None:
                found = (n_before + repeat.position, repeat.first)
    assert found == wanted


def test_ids_that_do_not_repeat_leave_the_number_of_records(tmp_path: Path) -> None:
    assert check_file(a_file(tmp_path / "in.jsonl", [f"r{n}" for n in range(5000)]), "id") == 5000
