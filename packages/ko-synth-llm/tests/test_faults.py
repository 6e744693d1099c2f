"""Runs over real HTTP with one request in three failing in one of the ways that servers do."""

import asyncio
import time
from pathlib import Path

from a_task import a_task
from ko_synth_llm import Answered, Cache, Connection, OpenAIBackend, Options, Record, run
from ko_synth_llm.asking import Asking
from model_server import FAULTS, seen, served

N_RECORDS = 10_000
FAULT_RATE = 0.05
"""Of each."""


def test_ten_thousand_records_are_answered_once_each_through_faults_of_every_kind(tmp_path: Path) -> None:
    records = ({"id": f"r{number}", "text": f"질문 {number}"} for number in range(N_RECORDS))
    with served(fault_rate=FAULT_RATE, late_s=0.5) as url, Cache(tmp_path / "c.sqlite") as cache:
        backend = OpenAIBackend(Connection(model="tiny", base_url=url, max_retries=20))
        options = Options(concurrency=128, max_asks=12)
        outcomes = [result.outcome for result in run(a_task(tmp_path), records, backend, cache=cache, options=options)]
        counts = seen(url)
        kept = sum(row.n_answers for row in cache.stats())
    answers = [(outcome.id, outcome.answer) for outcome in outcomes if isinstance(outcome, Answered)]
    assert answers == [(f"r{number}#1", {"answer": f"질문 {number}"}) for number in range(N_RECORDS)]
    assert kept == N_RECORDS
    assert (counts["n_questions"], counts["n_answered"]) == (N_RECORDS, N_RECORDS)
    assert counts["repeated"] == []
    faults = counts["faults"]
    assert isinstance(faults, dict)
    assert all(faults[name] > 0.8 * FAULT_RATE * N_RECORDS for name in FAULTS)


def test_an_answer_later_than_the_client_waits_is_asked_for_again(tmp_path: Path) -> None:
    records = [{"id": f"r{number}", "text": f"질문 {number}"} for number in range(60)]
    with served(fault_rate=FAULT_RATE, late_s=30.0) as url:
        backend = OpenAIBackend(Connection(model="tiny", base_url=url, max_retries=20, timeout_s=1.5))
        results = list(run(a_task(tmp_path), records, backend, options=Options(concurrency=60, max_asks=12)))
        counts = seen(url)
    assert [result.outcome.record_id for result in results if isinstance(result.outcome, Answered)] == [
        record["id"] for record in records
    ]
    assert sum(result.n_requests for result in results) == counts["n_requests"]
    faults = counts["faults"]
    assert isinstance(faults, dict)
    assert faults["late"] > 0


def test_an_answer_that_has_arrived_is_used_although_a_busy_loop_learns_of_it_after_its_time(tmp_path: Path) -> None:
    (request,) = Asking(a_task(tmp_path)).requests(Record(fields={"id": "r", "text": "질문"}, where="here"))

    async def reply_in_a_busy_loop(url: str) -> str:
        backend = OpenAIBackend(Connection(model="tiny", base_url=url, max_retries=0, timeout_s=1.0))
        await backend.reply(request)
        asyncio.get_running_loop().call_later(0.05, time.sleep, 2.0)
        try:
            return (await backend.reply(request)).text
        finally:
            await backend.aclose()

    with served(latency_s=0.3) as url:
        assert asyncio.run(reply_in_a_busy_loop(url)) == '{"answer": "질문"}'
