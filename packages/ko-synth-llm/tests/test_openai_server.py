"""The OpenAI backend against a real server over HTTP that fails in every way servers do."""

import asyncio
from pathlib import Path

import pytest
from a_task import a_task
from ko_synth_llm import (
    Answered,
    Cache,
    Connection,
    InputError,
    OpenAIBackend,
    Options,
    Rejected,
    RequestError,
    Result,
    run,
)
from ko_synth_llm.openai_server import RateLimit
from ko_synth_llm.tasks import Task
from model_server import Behaviour, ModelServer


def records(n: int) -> list[dict[str, str]]:
    return [{"id": f"r{number}", "text": f"질문 {number}"} for number in range(n)]


def results(
    task: Task, server: ModelServer, n: int, *, connection: Connection | None = None, cache: Cache | None = None
) -> list[Result]:
    connection = connection or Connection(model="tiny", base_url=server.url, max_retries=12, timeout_s=5)
    backend = OpenAIBackend(connection)
    return list(run(task, records(n), backend, cache=cache, options=Options(concurrency=64, max_asks=8)))


def test_a_second_run_asks_nothing(tmp_path: Path) -> None:
    with ModelServer() as server, Cache(tmp_path / "c.sqlite") as cache:
        first = results(a_task(tmp_path), server, 20, cache=cache)
        second = results(a_task(tmp_path), server, 20, cache=cache)
        assert sum(server.seen.requests.values()) == 20
    assert [result.outcome for result in second] == [result.outcome for result in first]
    assert all(result.cached for result in second)


def test_usage_and_the_schema_cross_the_wire(tmp_path: Path) -> None:
    with ModelServer() as server:
        (result,) = results(a_task(tmp_path), server, 1)
        body = server.seen.bodies[0]
    assert result.usage.prompt_tokens == 100
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["answer"]  # type: ignore[index]
    assert (body["max_tokens"], body["seed"]) == (64, 1)


def test_a_server_without_schemas_is_asked_without_one(tmp_path: Path) -> None:
    with ModelServer(Behaviour(has_schemas=False, answer=lambda _: '답:\n```json\n{"answer": "예"}\n```')) as server:
        found = results(a_task(tmp_path), server, 3)
        assert "response_format" not in server.seen.bodies[-1]
    assert [result.outcome.answer for result in found if isinstance(result.outcome, Answered)] == [{"answer": "예"}] * 3


def test_an_answer_that_is_never_valid_is_rejected_after_so_many_asks_and_not_cached(tmp_path: Path) -> None:
    with ModelServer(Behaviour(answer=lambda _: "아무 말")) as server, Cache(tmp_path / "c.sqlite") as cache:
        (result,) = results(a_task(tmp_path), server, 1, cache=cache)
        assert sum(server.seen.requests.values()) == 8
        last = server.seen.bodies[-1]["messages"]
        assert cache.stats() == []
    assert isinstance(result.outcome, Rejected)
    assert (result.outcome.reason, result.outcome.text) == ("not_json", "아무 말")
    assert "방금 출력은 쓸 수 없습니다" in str(last)


def test_an_answer_that_is_cut_off_is_rejected_and_not_asked_for_again(tmp_path: Path) -> None:
    with ModelServer(Behaviour(finish_reason="length")) as server:
        (result,) = results(a_task(tmp_path), server, 1)
        assert sum(server.seen.requests.values()) == 1
    assert isinstance(result.outcome, Rejected)
    assert result.outcome.reason == "cut_off"


def test_a_model_that_the_server_lacks_stops_the_run_by_name_with_those_it_has(tmp_path: Path) -> None:
    with ModelServer() as server, pytest.raises(InputError, match="has no model 'huge'; it has 'tiny'"):
        results(a_task(tmp_path), server, 50, connection=Connection(model="huge", base_url=server.url))


def test_a_refused_key_stops_the_run_and_names_the_variable_but_not_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "geheim")
    said = "refused the key in the environment variable OPENAI_API_KEY"
    with ModelServer(Behaviour(key="other")) as server, pytest.raises(InputError, match=said) as failure:
        results(a_task(tmp_path), server, 5)
    assert "geheim" not in str(failure.value)


def test_a_key_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer(Behaviour(key="geheim")) as server:
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        with pytest.raises(InputError, match="set the environment variable OPENAI_API_KEY"):
            results(a_task(tmp_path), server, 1)
        monkeypatch.setenv("OPENAI_API_KEY", "geheim")
        assert [result.outcome.record_id for result in results(a_task(tmp_path), server, 1)] == ["r0"]


def test_openai_without_a_key_is_refused_before_any_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(InputError, match="OPENAI_API_KEY is not set"):
        OpenAIBackend(Connection(model="gpt"))


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="localhost:9: is no address of a server"):
        OpenAIBackend(Connection(model="tiny", base_url="localhost:9"))


def test_no_server_stops_the_run(tmp_path: Path) -> None:
    with ModelServer() as server:
        pass
    connection = Connection(model="tiny", base_url=server.url, max_retries=0)
    with pytest.raises(InputError, match="is a server there"):
        results(a_task(tmp_path), server, 2, connection=connection)


def test_a_server_that_stays_broken_makes_rejects(tmp_path: Path) -> None:
    with ModelServer(Behaviour(fault_rate=10.0)) as server:
        (result,) = results(
            a_task(tmp_path),
            server,
            1,
            connection=Connection(model="tiny", base_url=server.url, max_retries=0, timeout_s=0.05),
        )
    assert isinstance(result.outcome, Rejected)
    assert result.outcome.reason == "server"
    assert "no answer within 0.05 s, after 1 attempt" in result.outcome.detail


def test_a_rate_limit_spreads_what_is_taken(tmp_path: Path) -> None:
    async def taken() -> float:
        limit = RateLimit(60 * 200)
        started = asyncio.get_running_loop().time()
        for _ in range(240):
            await limit.take(1)
        return asyncio.get_running_loop().time() - started

    assert 0.15 < asyncio.run(taken()) < 1.5


def test_request_errors_carry_their_attempts() -> None:
    assert RequestError("server", "down", n_attempts=3).n_attempts == 3
