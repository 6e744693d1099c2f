"""The sample corpus: its counts and records are pinned, and its evaluation queries stay held out."""

import json
import subprocess
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[3] / "datasets" / "sample"
MOST_SHARED = 0.5
"""At most this share of a query's character trigrams stands in its passage, or is shared with a training query."""

Record = dict[str, object]


def records(path: Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@cache
def documents() -> list[Record]:
    return [d for path in sorted((SAMPLE / "documents").glob("*.jsonl")) for d in records(path)]


@cache
def queries() -> list[Record]:
    return records(SAMPLE / "evaluation" / "queries.jsonl")


def qrels(split: str) -> list[list[str]]:
    lines = (SAMPLE / "evaluation" / "qrels" / f"{split}.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "query-id\tcorpus-id\tscore"
    return [line.split("\t") for line in lines[1:]]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample's documents, passages and pairs."""
    folder = tmp_path_factory.mktemp("corpus")
    run("ko-corpus", "load", SAMPLE / "documents", "-o", folder / "documents.jsonl")
    run("ko-corpus", "chunk", folder / "documents.jsonl", "-o", folder / "passages")
    run("ko-corpus", "pairs", folder / "passages", "-o", folder / "pairs.jsonl")
    return folder


@pytest.fixture(scope="session")
def passages(corpus: Path) -> dict[str, str]:
    return {str(p["_id"]): f"{p['title']} {p['text']}" for p in records(corpus / "passages" / "corpus.jsonl")}


def run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def trigrams(text: str) -> set[str]:
    """Trigrams of the letters and digits of a text, spaces and punctuation left out."""
    plain = "".join(c for c in unicodedata.normalize("NFC", text).lower() if c.isalnum())
    return {plain[i : i + 3] for i in range(max(1, len(plain) - 2))}


def test_the_documents_are_410_in_nine_fields() -> None:
    assert Counter(str(d["source"]) for d in documents()) == {
        "sample/cloud": 44,
        "sample/culture": 47,
        "sample/economy": 38,
        "sample/health": 47,
        "sample/history": 42,
        "sample/law": 53,
        "sample/life": 50,
        "sample/science": 46,
        "sample/search": 43,
    }


def test_documents_0_9_and_the_last_are_these() -> None:
    found = [(documents()[i]["id"], documents()[i]["title"], documents()[i]["published"]) for i in (0, 9, -1)]
    assert found == [
        ("cloud-01", "파드가 계속 재시작될 때 살펴볼 것들", "2024-11-12"),
        ("cloud-10", "평균 응답 시간만 보면 놓치는 것", "2025-11-26"),
        ("search-43", "대량 색인 속도를 올리는 bulk 요청의 크기", "2025-12-22"),
    ]


def test_ids_titles_and_texts_are_unique_and_nfc() -> None:
    for key in ("id", "title", "text"):
        values = [str(d[key]) for d in documents()]
        assert len(set(values)) == len(values), key
        assert all(unicodedata.is_normalized("NFC", value) for value in values), key


def test_the_passages_are_617_of_120_to_400_characters(passages: dict[str, str]) -> None:
    assert len(passages) == 617
    texts = [len(text) for text in passages.values()]
    assert min(texts) >= 120


def test_the_queries_are_540_of_four_kinds() -> None:
    kinds = Counter(str(dict(q["metadata"])["kind"]) for q in queries())  # type: ignore[call-overload]
    assert kinds == {"question": 252, "keyword": 99, "english": 98, "code_mixed": 91}
    assert (len({q for q, _, _ in qrels("dev")}), len({q for q, _, _ in qrels("test")})) == (185, 355)


def test_queries_0_9_and_the_last_are_these() -> None:
    assert [(queries()[i]["_id"], queries()[i]["text"]) for i in (0, 9, -1)] == [
        ("search-q01", "띄어쓰기 단위로만 끊어서 저장했더니 뒤에 토씨 붙은 말은 검색이 안 돼요. 왜 그런 거죠?"),
        ("search-q10", "챗봇이 일반 사원한테 남의 고과 자료까지 보여줘 버렸는데 어느 시점에 막아야 하죠"),
        ("life-q65", "why posting zero-won receipts became a trend among young Koreans"),
    ]


def test_every_judgement_names_a_query_and_a_passage_and_no_query_is_in_two_splits(passages: dict[str, str]) -> None:
    dev, test = qrels("dev"), qrels("test")
    ids = {str(q["_id"]) for q in queries()}
    assert {q for q, _, _ in dev + test} == ids
    assert all(passage in passages for _, passage, _ in dev + test)
    assert not {q for q, _, _ in dev} & {q for q, _, _ in test}


def test_no_query_shares_more_than_half_its_trigrams_with_its_passage(passages: dict[str, str]) -> None:
    texts = {str(q["_id"]): str(q["text"]) for q in queries()}
    for query_id, passage_id, _ in qrels("dev") + qrels("test"):
        own = trigrams(texts[query_id])
        shared = len(own & trigrams(passages[passage_id])) / len(own)
        assert shared <= MOST_SHARED, f"{query_id}: {shared:.2f} of {texts[query_id]!r} stands in {passage_id}"


def test_no_query_resembles_a_training_query(corpus: Path) -> None:
    training = [str(pair["query"]) for pair in records(corpus / "pairs.jsonl")]
    for recorded in records(SAMPLE / "recorded" / "queries.jsonl"):
        training += [str(q["query"]) for q in json.loads(str(recorded["reply"]))["queries"]]
    grams = [trigrams(text) for text in training]
    for query in queries():
        own = trigrams(str(query["text"]))
        nearest = max(range(len(grams)), key=lambda i: len(own & grams[i]) / len(own | grams[i]))
        shared = len(own & grams[nearest]) / len(own | grams[nearest])
        assert shared <= MOST_SHARED, f"{query['_id']}: {query['text']!r} resembles {training[nearest]!r}"


def test_every_passage_has_a_recorded_reply_and_nearly_all_of_its_queries_pass_the_filters(corpus: Path) -> None:
    recording = f"recorded:{SAMPLE / 'recorded' / 'queries.jsonl'}"
    answers, pairs = corpus / "queries.jsonl", corpus / "synthetic.jsonl"
    run("ko-synth-llm", "run", "queries", corpus / "passages", "-o", answers, "--backend", recording, "--strict")
    assert len(records(answers)) == 617
    assert (corpus / "queries.rejected.jsonl").read_text(encoding="utf-8") == ""
    run("ko-synth-llm", "filter", answers, "--passages", corpus / "passages", "-o", pairs)
    assert len(records(pairs)) == 1849


def test_every_synonym_candidate_has_a_recorded_verdict(corpus: Path) -> None:
    recording = f"recorded:{SAMPLE / 'recorded' / 'verdicts.jsonl'}"
    synonyms, candidates = corpus / "synonyms.json", corpus / "candidates.jsonl"
    curated = SAMPLE / "synonyms.jsonl"
    run(
        "ko-synonyms", "discover", corpus / "passages", "--curated", curated, "-o", synonyms, "--candidates", candidates
    )
    judged = corpus / "judged.jsonl"
    run("ko-synth-llm", "run", "synonym_judge", candidates, "-o", judged, "--backend", recording, "--strict")
    verdicts = Counter(str(dict(line["answer"])["verdict"]) for line in records(judged))  # type: ignore[call-overload]
    assert verdicts == {"예": 538, "아니오": 87}


def test_the_curated_synonyms_are_forty_pairs() -> None:
    pairs = records(SAMPLE / "synonyms.jsonl")
    assert len({(p["ko"], p["en"]) for p in pairs}) == 40
    assert pairs[0] == {"ko": "검색 엔진", "en": "search engine"}
