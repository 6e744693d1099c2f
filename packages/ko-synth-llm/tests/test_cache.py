"""The cache: what its key holds, what it keeps, and that two share it."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from a_task import a_task
from ko_synth_llm import Cache, Connection, InputError, OpenAIBackend, Record, run
from ko_synth_llm.answer_schema import AnswerSchema
from ko_synth_llm.asking import Asking, Request
from ko_synth_llm.cache import Kept, NewAnswer, cache_key
from ko_synth_llm.outcomes import Usage
from ko_synth_llm.prompts import Conversation, Message
from ko_synth_llm.tasks import Sampling
from model_server import Behaviour, ModelServer


def a_request(tmp_path: Path, text: str = "t", record_id: str = "r") -> Request:
    asking = Asking(a_task(tmp_path / record_id))
    return asking.requests(Record(fields={"id": record_id, "text": text}, where="here"))[0]


def kept(answer: str) -> Kept:
    return Kept(answer=msgspec.Raw(msgspec.json.encode({"answer": answer})), usage=Usage(), finish_reason="stop")


def test_the_key_holds_what_decides_an_answer_and_nothing_else(tmp_path: Path) -> None:
    request = a_request(tmp_path)
    key = cache_key(request, model="m", revision="1")
    assert cache_key(replace(request, record_id="other"), model="m", revision="1") == key
    for other in (
        replace(request, n=2),
        replace(request, sampling=Sampling(temperature=0.5)),
        replace(request, schema=AnswerSchema({"type": "string"})),
        replace(request, conversation=Conversation.of((Message(role="user", content="u"),))),
    ):
        assert cache_key(other, model="m", revision="1") != key
    assert cache_key(request, model="n", revision="1") != key
    assert cache_key(request, model="m", revision="2") != key


def test_the_first_answer_of_a_key_stays(tmp_path: Path) -> None:
    with Cache(tmp_path / "c.sqlite") as one, Cache(tmp_path / "c.sqlite") as other:
        request = a_request(tmp_path)
        one.keep([NewAnswer(key="k", kept=kept("first"), request=request, model="m", task_version="1")])
        second = NewAnswer(key="k", kept=kept("second"), request=request, model="m", task_version="1")
        found = other.keep([second, replace(second, key="l")])
        assert [bytes(each.answer) for each in found] == [b'{"answer":"first"}', b'{"answer":"second"}']


def test_an_export_is_a_recording_and_pruning_removes_what_was_asked(tmp_path: Path) -> None:
    with Cache(tmp_path / "c.sqlite") as cache:
        for record_id, model in (("b", "m"), ("a", "m"), ("a", "other")):
            request = a_request(tmp_path, record_id=record_id)
            key = f"{record_id}{model}"
            cache.keep([NewAnswer(key=key, kept=kept("예"), request=request, model=model, task_version="1")])
        assert [(line.id, line.reply) for line in cache.export()][:2] == [("a", '{"answer":"예"}')] * 2
        assert cache.prune(model="other") == 1
        assert [(row.model, row.n_answers) for row in cache.stats()] == [("m", 2)]


def test_a_cache_takes_in_the_answers_of_another_and_keeps_its_own(tmp_path: Path) -> None:
    request = a_request(tmp_path)
    with Cache(tmp_path / "one.sqlite") as one, Cache(tmp_path / "other.sqlite") as other:
        for cache, key, answer in ((one, "a", "own"), (other, "a", "late"), (other, "b", "new")):
            cache.keep([NewAnswer(key=key, kept=kept(answer), request=request, model="m", task_version="1")])
        one.adopt(tmp_path / "other.sqlite")
        found = {key: bytes(each.answer) for key, each in one.find(["a", "b"]).items()}
    assert found == {"a": b'{"answer":"own"}', "b": b'{"answer":"new"}'}


def test_a_file_that_is_no_cache_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.sqlite").write_text("no database", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be used as a cache"):
        Cache(tmp_path / "c.sqlite")


def test_equal_requests_are_sent_once(tmp_path: Path) -> None:
    records = [{"id": f"r{n}", "text": "같은 질문"} for n in range(50)]
    with ModelServer(Behaviour(latency_s=0.02)) as server:
        backend = OpenAIBackend(Connection(model="tiny", base_url=server.url))
        found = list(run(a_task(tmp_path), records, backend))
        assert server.seen.requests.total() == 1
    assert [result.outcome.record_id for result in found] == [f"r{n}" for n in range(50)]


def test_each_of_several_answers_is_asked_for_with_a_seed_of_its_own(tmp_path: Path) -> None:
    with ModelServer() as server:
        backend = OpenAIBackend(Connection(model="tiny", base_url=server.url))
        found = list(run(a_task(tmp_path, n_answers=3), [{"id": "r", "text": "t"}], backend))
        assert sorted(str(body["seed"]) for body in server.seen.bodies) == ["1", "2", "3"]
    assert [result.outcome.id for result in found] == ["r#1", "r#2", "r#3"]
