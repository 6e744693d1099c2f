"""Ten recorded replies of a language model a task, to records of the sample corpus, from `run` to what becomes of them.

`replies/recorded` holds the records of each task and one recording of all sixty replies, verbatim. Those of `queries`
and `synonym_judge` are the first ten of the sample's own recordings.
"""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest
from a_command import ko_synth_llm, objects
from ko_synth_llm.asking import Asking
from ko_synth_llm.records import read_records
from ko_synth_llm.tasks import built_in_tasks, load_task

RECORDED = Path(__file__).parent / "replies" / "recorded"
RECORDING = RECORDED / "recording.jsonl"
README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def answered(task: str, folder: Path) -> Path:
    """What `run` makes of a task's ten replies."""
    answers = folder / "answers.jsonl"
    ko_synth_llm("run", task, RECORDED / f"{task}.jsonl", "-o", answers, "--backend", f"recorded:{RECORDING}")
    return answers


def reasons(rejected: Path) -> list[tuple[str, str]]:
    return [(line["id"], line["reason"]) for line in objects(rejected)]


def test_the_prompts_are_those_that_the_replies_were_recorded_for() -> None:
    """A change of a prompt is a new version of its task, and these replies answer the old one."""
    found = {}
    for task in built_in_tasks():
        asking = Asking(load_task(task))
        prompts = [asking.conversation(record).sha256 for record in read_records(RECORDED / f"{task}.jsonl")]
        found[task] = hashlib.sha256("".join(prompts).encode()).hexdigest()[:12]
    assert found == {
        "documents": "d0bdb6cf2ce9",
        "hard_negatives": "392744225cde",
        "paraphrase": "6fa0f8d947c5",
        "queries": "cd24fd3a342f",
        "synonym_discover": "7a10e05971ae",
        "synonym_judge": "7b3940b03efe",
    }


@pytest.mark.parametrize("task", built_in_tasks())
def test_every_recorded_reply_is_parsed_as_it_was_written(task: str, tmp_path: Path) -> None:
    replies = [json.loads(line["reply"]) for line in objects(RECORDING) if line["task"] == task]
    assert [line["answer"] for line in objects(answered(task, tmp_path))] == replies
    assert len(replies) == 10
    assert reasons(tmp_path / "answers.rejected.jsonl") == []
    assert f"| `{task}` | 10 of 10 |" in README


def test_the_filters_keep_29_of_30_queries_and_refuse_one_for_its_script(tmp_path: Path) -> None:
    answers, pairs = answered("queries", tmp_path), tmp_path / "pairs.jsonl"
    ko_synth_llm("filter", answers, "-o", pairs, "--passages", RECORDED / "queries.jsonl")
    assert len(objects(pairs)) == 29
    (reject,) = objects(tmp_path / "pairs.rejected.jsonl")
    assert (reject["reason"], reject["text"]) == ("script", "컨테이너 exit 137 의미")
    assert "| `queries` | 10 of 10 | 29 of 30 queries, `script` 1 |" in README


def test_all_written_documents_become_passages_with_a_pair_each(tmp_path: Path) -> None:
    corpus = tmp_path / "documents"
    ko_synth_llm("convert", answered("documents", tmp_path), "--source", RECORDED / "documents.jsonl", "-o", corpus)
    assert [line["_id"] for line in objects(corpus / "corpus.jsonl")] == [f"d{n}:document:1#0" for n in range(1, 11)]
    assert len(objects(corpus / "pairs.jsonl")) == 10
    assert reasons(corpus / "rejected.jsonl") == []
    assert "| `documents` | 10 of 10 | 10 of 10 passages |" in README


def test_written_documents_have_the_length_that_the_prompt_asks_for(tmp_path: Path) -> None:
    lengths = [len(str(line["answer"]["text"])) for line in objects(answered("documents", tmp_path))]
    assert (min(lengths), max(lengths)) == (295, 334)


def test_all_rewordings_become_pairs_in_their_language(tmp_path: Path) -> None:
    answers, pairs = answered("paraphrase", tmp_path), tmp_path / "pairs.jsonl"
    ko_synth_llm("convert", answers, "--source", RECORDED / "paraphrase.jsonl", "-o", pairs)
    assert Counter(line["language"] for line in objects(pairs)) == {"ko": 8, "mixed": 11, "en": 11}
    ways = Counter(line["source"].rpartition("/")[2] for line in objects(pairs))
    assert ways == {"shorten": 8, "synonym": 7, "reword": 6, "situation": 6, "code_mixed": 3}
    assert reasons(tmp_path / "pairs.rejected.jsonl") == []
    assert "| `paraphrase` | 10 of 10 | 30 of 30 rewordings |" in README


def test_all_hard_negatives_become_passages(tmp_path: Path) -> None:
    corpus = tmp_path / "negatives"
    answers = answered("hard_negatives", tmp_path)
    ko_synth_llm("convert", answers, "--source", RECORDED / "hard_negatives.jsonl", "-o", corpus)
    assert [line["_id"] for line in objects(corpus / "corpus.jsonl")] == [f"h{n}:negative:1#0" for n in range(1, 11)]
    assert reasons(corpus / "rejected.jsonl") == []
    assert "| `hard_negatives` | 10 of 10 | 10 of 10 passages |" in README


def test_eight_pairs_are_judged_synonyms_and_two_are_not(tmp_path: Path) -> None:
    answers, verdicts = answered("synonym_judge", tmp_path), tmp_path / "verdicts.jsonl"
    candidates = RECORDED / "synonym_judge.jsonl"
    done = ko_synth_llm("verdicts", answers, "--candidates", candidates, "-o", verdicts)
    assert done.stdout == "8 yes, 2 no, 0 candidates without a verdict\n"
    assert "| `synonym_judge` | 10 of 10 | 8 yes, 2 no |" in README


def test_nine_terms_get_candidates_in_the_other_language_and_the_tenth_is_no_term(tmp_path: Path) -> None:
    answers = objects(answered("synonym_discover", tmp_path))
    assert {line["record_id"]: [found["term"] for found in line["answer"]["candidates"]] for line in answers} == {
        "색인": ["index", "indexing"],
        "정족수": ["quorum"],
        "레이턴시": ["latency"],
        "tokenizer": ["토크나이저", "토큰화기"],
        "hypertension": ["고혈압", "고혈압증"],
        "연차": ["annual leave", "annual paid leave", "paid annual leave"],
        "quantization": ["양자화", "퀀타이제이션"],
        "발효": ["fermentation"],
        "데이터베이스": ["database", "DB"],
        "그 밖의": [],
    }
    assert "| `synonym_discover` | 10 of 10 | 16 candidates for 9 terms, none for 1 |" in README
