"""The command line over real files: run, filter, verdicts, rekey, and what they say of bad input."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from a_command import ko_synth_llm, objects
from a_task import a_folder
from ko_synth_llm._files import write_jsonl
from ko_synth_llm.recordings import RecordedReply
from model_server import Behaviour, ModelServer

GOLDEN = Path(__file__).parents[3] / "docs/formats/golden"
HASHES = {
    "doc-1#0": "388d931ba8090ce3240a89887f38bbb52a0d1bf50224969b8711108695982b40",
    "doc-1#1": "540654948c6b4dfb4f4fae614999026e45a3ed7565dd9ef541438a9bf73851d1",
    "doc-2#0": "b44b521f4d42c45edcd88ceea7559d80bffc1af6fda40486679d78005f319d99",
}


def a_recording(path: Path, **queries: list[tuple[str, str]]) -> Path:
    lines = []
    for name, found in queries.items():
        record_id = name.replace("_", "-").replace("n", "#")
        reply = json.dumps({"queries": [{"style": s, "query": q} for s, q in found]}, ensure_ascii=False)
        lines.append(RecordedReply(task="queries", id=record_id, text_sha256=HASHES[record_id], reply=reply))
    write_jsonl(path, lines)
    return path


def test_recorded_replies_become_answers_and_pairs_with_their_documents_split(tmp_path: Path) -> None:
    recording = a_recording(
        tmp_path / "r.jsonl",
        doc_1n0=[("keyword", "단어 가중치 검색 방식"), ("code_mixed", "이 글의 topic은 뭐야?")],
        doc_1n1=[("colloquial", "단어로 문서 찾는 구조 뭐라고 해?")],
        doc_2n0=[("english", "does a sparse vector store all terms"), ("colloquial", "장점")],
    )
    answers, pairs = tmp_path / "answers.jsonl", tmp_path / "synthetic_qd_pairs.jsonl"
    ko_synth_llm("run", "queries", GOLDEN / "passages", "-o", answers, "--backend", f"recorded:{recording}")
    done = ko_synth_llm(
        "filter", answers, "-o", pairs, "--passages", GOLDEN / "passages", "--pairs", GOLDEN / "pairs.jsonl"
    )
    assert pairs.read_text(encoding="utf-8").splitlines()[0] == (
        '{"query_id":"doc-1#0:synthetic:1","query":"단어 가중치 검색 방식","doc_id":"doc-1#0","kind":"synthetic",'
        '"language":"ko","source":"queries/recorded/keyword","split":"train"}'
    )
    assert [(p["query_id"], p["language"], p["split"]) for p in objects(pairs)] == [
        ("doc-1#0:synthetic:1", "ko", "train"),
        ("doc-1#1:synthetic:1", "ko", "train"),
        ("doc-2#0:synthetic:1", "en", "val"),
    ]
    rejects = objects(tmp_path / "synthetic_qd_pairs.rejected.jsonl")
    assert [(r["id"], r["reason"]) for r in rejects] == [
        ("doc-1#0:synthetic:2", "points_at_text"),
        ("doc-2#0:synthetic:2", "length"),
    ]
    made = json.loads((tmp_path / "generation_metadata.json").read_text(encoding="utf-8"))
    assert (made["n_queries"], made["n_kept"], made["accept_rate"]) == (5, 3, 0.6)
    assert done.stdout.splitlines()[0] == "kept 3 of 5 queries (60.0%) of 3 answers"
    ko_synth_llm("report", pairs, "-o", tmp_path / "report.html", "--passages", GOLDEN / "passages")
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert (report["n_kept"], report["n_rejected"], len(report["rejected"])) == (3, 2, 2)
    assert [row["style"] for row in report["styles"]] == ["colloquial", "english", "keyword"]
    assert [tuple(row.values()) for row in report["filters"]][:4] == [
        ("length", 5, 1, 0.8),
        ("script", 4, 0, 1.0),
        ("points_at_text", 4, 1, 0.75),
        ("unanswerable", 3, 0, 1.0),
    ]
    assert "단어 가중치 검색 방식" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_run_made_again_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    recording = a_recording(tmp_path / "r.jsonl", doc_1n0=[("keyword", "가중치 검색")])
    outputs = []
    for name in ("a", "b"):
        answers = tmp_path / name / "answers.jsonl"
        ko_synth_llm("run", "queries", GOLDEN / "passages", "-o", answers, "--backend", f"recorded:{recording}")
        ko_synth_llm("filter", answers, "-o", tmp_path / name / "p.jsonl", "--passages", GOLDEN / "passages")
        files = ("answers.jsonl", "answers.rejected.jsonl", "p.jsonl", "generation_metadata.json")
        outputs.append([(tmp_path / name / file).read_bytes() for file in files])
        assert not (tmp_path / name / ".answers.jsonl.work").exists()
    assert outputs[0] == outputs[1]


def test_a_record_without_a_recorded_reply_is_a_reject_that_names_it_and_the_command(tmp_path: Path) -> None:
    recording = a_recording(tmp_path / "r.jsonl", doc_1n0=[("keyword", "가중치 검색")])
    answers = tmp_path / "answers.jsonl"
    done = ko_synth_llm("run", "queries", GOLDEN / "passages", "-o", answers, "--backend", f"recorded:{recording}")
    rejects = objects(tmp_path / "answers.rejected.jsonl")
    assert [(r["record_id"], r["reason"]) for r in rejects] == [
        ("doc-1#1", "not_recorded"),
        ("doc-2#0", "not_recorded"),
    ]
    assert "ko-synth-llm rekey queries INPUT --recording" in rejects[0]["detail"]
    assert "2 of 3 records were rejected (not_recorded: 2)" in done.stderr


def test_strict_fails_without_output_when_a_record_is_rejected(tmp_path: Path) -> None:
    recording = a_recording(tmp_path / "r.jsonl", doc_1n0=[("keyword", "가중치 검색")])
    answers = tmp_path / "answers.jsonl"
    backend = ("--backend", f"recorded:{recording}", "--strict")
    done = ko_synth_llm("run", "queries", GOLDEN / "passages", "-o", answers, *backend, ok=False)
    assert (done.returncode, answers.exists()) == (1, False)
    assert (tmp_path / "answers.rejected.jsonl").exists()


def test_golden_candidates_and_a_recorded_verdict_become_the_golden_verdicts(tmp_path: Path) -> None:
    reply = json.dumps(
        {"reason": "색인은 index의 번역어이다.", "verdict": "예", "confidence": 0.97}, ensure_ascii=False
    )
    shown = tmp_path / "m.jsonl"
    ko_synth_llm("show", "synonym_judge", GOLDEN / "synonym_candidates.jsonl", "--all", "-o", shown)
    key = json.loads(shown.read_text(encoding="utf-8"))["text_sha256"]
    write_jsonl(
        tmp_path / "r.jsonl", [RecordedReply(task="synonym_judge", id="색인|index", text_sha256=key, reply=reply)]
    )
    answers = tmp_path / "a.jsonl"
    candidates = GOLDEN / "synonym_candidates.jsonl"
    ko_synth_llm("run", "synonym_judge", candidates, "-o", answers, "--backend", f"recorded:{tmp_path / 'r.jsonl'}")
    ko_synth_llm("verdicts", answers, "--candidates", candidates, "-o", tmp_path / "v.jsonl")
    assert (tmp_path / "v.jsonl").read_bytes() == (GOLDEN / "synonym_verdicts.jsonl").read_bytes()


def test_rekeying_follows_texts_and_keeps_the_rest_aside(tmp_path: Path) -> None:
    lines = [
        RecordedReply(task="queries", id="old#7", text_sha256=HASHES["doc-1#1"], reply="moved"),
        RecordedReply(task="queries", id="gone#0", text_sha256="0" * 64, reply="left"),
    ]
    write_jsonl(tmp_path / "r.jsonl", lines)
    recording = tmp_path / "r.jsonl"
    done = ko_synth_llm("rekey", "queries", GOLDEN / "passages", "--recording", recording, "-o", recording)
    assert json.loads(recording.read_text(encoding="utf-8"))["id"] == "doc-1#1"
    assert json.loads((tmp_path / "r.left.jsonl").read_text(encoding="utf-8"))["id"] == "gone#0"
    assert done.stdout == "kept 0, moved 1, changed 0, without a record 1\n"


def test_a_dry_run_counts_and_prices_and_sends_nothing(tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text("[tiny]\nprompt = 1000.0\ncompletion = 0.0\n", encoding="utf-8")
    done = ko_synth_llm(
        "run", "queries", GOLDEN / "passages", "-o", tmp_path / "a.jsonl", "--backend", "openai", "--model", "tiny",
        "--base-url", "http://127.0.0.1:9", "--dry-run", "--prices", tmp_path / "prices.toml",
    )  # fmt: skip
    assert done.stdout.startswith("requests\t3\nfrom the cache\t0\n")
    assert "cost, about\t" in done.stdout
    assert list(tmp_path.iterdir()) == [tmp_path / "prices.toml"]


def test_a_budget_stops_the_run_with_what_is_done_and_a_second_run_goes_on(tmp_path: Path) -> None:
    task = a_folder(tmp_path / "echo")
    source = tmp_path / "in.jsonl"
    write_jsonl(source, [{"id": f"r{n}", "text": f"t{n}"} for n in range(10)])
    with ModelServer(Behaviour()) as server:
        model = ("--backend", "openai", "--model", "tiny", "--base-url", server.url)
        arguments = ("run", task, source, "-o", tmp_path / "a.jsonl", *model)
        done = ko_synth_llm(*arguments, "--max-requests", 4, ok=False)
        assert "--max-requests 4 is reached: 6 answers were not asked for" in done.stderr
        assert len((tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()) == 4
        ko_synth_llm(*arguments)
        assert sum(server.seen.requests.values()) == 10
    assert len((tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()) == 10


def test_a_record_without_a_needed_field_is_a_reject_with_its_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"id":"a","text":"t"}\n\n{"id":"b"}\n', encoding="utf-8")
    with ModelServer() as server:
        model = ("--backend", "openai", "--model", "tiny", "--base-url", server.url)
        ko_synth_llm("run", a_folder(tmp_path / "echo"), source, "-o", tmp_path / "a.jsonl", *model)
    reject = json.loads((tmp_path / "a.rejected.jsonl").read_text(encoding="utf-8"))
    assert (reject["record_id"], reject["reason"]) == ("b", "record")
    assert f"{source}:3: 'text' is missing" in reject["detail"]


@pytest.mark.parametrize(
    ("line", "said"),
    [("{nonsense", "in.jsonl:2: is not a JSON object"), ("[1]", "in.jsonl:2: is not a JSON object")],
)
def test_a_line_that_is_no_object_stops_the_run_before_any_request_and_leaves_the_output_as_it_was(
    tmp_path: Path, line: str, said: str
) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "a.jsonl"
    source.write_text('{"id":"a","text":"t"}\n' + line + "\n", encoding="utf-8")
    output.write_text("earlier", encoding="utf-8")
    with ModelServer() as server:
        model = ("--backend", "openai", "--model", "tiny", "--base-url", server.url)
        done = ko_synth_llm("run", a_folder(tmp_path / "echo"), source, "-o", output, *model, ok=False)
        assert server.seen.requests.total() == 0
    assert said in done.stderr
    assert output.read_text(encoding="utf-8") == "earlier"


def test_a_run_stopped_by_its_budget_goes_on_with_a_cache_that_it_is_given_then(tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "a.jsonl"
    write_jsonl(source, [{"id": f"r{n}", "text": f"질문 {n}"} for n in range(6)])
    with ModelServer() as server:
        task = a_folder(tmp_path / "echo")
        run = ("run", task, source, "-o", output, "--backend", "openai", "--model", "tiny", "--base-url", server.url)
        done = ko_synth_llm(*run, "--max-requests", 4, "--concurrency", 1, ok=False)
        assert "--max-requests 4 is reached: 2 answers were not asked for" in done.stderr
        assert len(objects(output)) == 4
        ko_synth_llm(*run, "--cache", tmp_path / "c.sqlite")
        assert server.seen.requests.total() == 6
    assert [line["record_id"] for line in objects(output)] == [f"r{n}" for n in range(6)]


def test_vllm_without_its_extra_names_the_install_command(tmp_path: Path) -> None:
    if find_spec("vllm") is None:
        done = ko_synth_llm(
            "run", "queries", GOLDEN / "passages", "-o", tmp_path / "a", "--backend", "vllm", "--model", "m", ok=False
        )
        assert 'pip install "ko-synth-llm[vllm]"' in done.stderr
    else:
        pytest.skip("vLLM is installed here")


def test_a_style_that_was_not_asked_for_makes_its_reply_a_reject(tmp_path: Path) -> None:
    recording = a_recording(
        tmp_path / "r.jsonl",
        doc_1n0=[("keyword", "단어 가중치 검색 방식"), ("question", "희소 검색은 무엇에 무게를 두나요?")],
        doc_1n1=[("colloquial", "단어로 문서 찾는 구조 뭐라고 해?")],
    )
    answers = tmp_path / "answers.jsonl"
    ko_synth_llm("run", "queries", GOLDEN / "passages", "-o", answers, "--backend", f"recorded:{recording}")
    assert [line["record_id"] for line in objects(answers)] == ["doc-1#1"]
    reject = objects(tmp_path / "answers.rejected.jsonl")[0]
    assert (reject["record_id"], reject["reason"]) == ("doc-1#0", "not_asked")
    assert '"question" is not one of "keyword", "code_mixed" or "english"' in reject["detail"]


def test_show_takes_the_first_passage_of_a_folder() -> None:
    done = ko_synth_llm("show", "queries", GOLDEN / "passages")
    assert done.stdout == ko_synth_llm("show", "queries", GOLDEN / "passages/corpus.jsonl").stdout
    assert "희소 검색은 단어마다 가중치(weight)를 둔다." in done.stdout
