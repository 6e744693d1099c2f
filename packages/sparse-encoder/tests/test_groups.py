import itertools
import json
import random
from pathlib import Path

import msgspec
import pytest
from sparse_encoder._files import InputError, read_jsonl, write_jsonl
from sparse_encoder.groups import batches, draw, read_examples, read_groups
from sparse_encoder.objective import allowed_documents
from sparse_encoder.vocabulary import Vocabulary

GOOD = {"query": "희소 검색", "docs": ["역색인은 길이다.", "책을 읽었다."], "scores": [2.0, 1.0]}


def test_the_golden_groups_are_read(golden: Path, tmp_path: Path) -> None:
    (group,) = read_groups(golden / "groups.jsonl")
    assert group.q_id == "doc-1#1:heading"
    assert group.labels == ["positive", "hard", "easy"]
    write_jsonl(tmp_path / "again.jsonl", read_jsonl(golden / "groups.jsonl", msgspec.Raw))
    assert (tmp_path / "again.jsonl").read_bytes() == (golden / "groups.jsonl").read_bytes()


def test_a_teacher_may_score_a_labelled_negative_above_the_positive(tmp_path: Path) -> None:
    group = {
        "query": "검색",
        "docs": ["가", "나", "다"],
        "scores": [2.0, 3.0, 1.0],
        "labels": ["positive", "hard", "easy"],
    }
    write_jsonl(tmp_path / "scored.jsonl", [group])
    assert [g.scores for g in read_groups(tmp_path / "scored.jsonl")] == [[2.0, 3.0, 1.0]]
    write_jsonl(tmp_path / "bad.jsonl", [group | {"scores": [2.0, 1.0, 3.0]}])
    with pytest.raises(InputError, match=r"bad\.jsonl:1: 'scores' are \[2\.0, 1\.0, 3\.0\]; wanted the best first"):
        list(read_groups(tmp_path / "bad.jsonl"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": [1.0]}, ":2: 2 docs but 1 scores"),
        ({"scores": [1.0, 2.0]}, ":2: 'scores' are [1.0, 2.0]; wanted the best first"),
        ({"docs": [], "scores": []}, ":2: 'docs' is empty"),
        ({"docs": ["가", " "]}, ":2: a text in 'docs' is empty"),
        ({"query": ""}, ":2: 'query' is empty"),
        ({"labels": ["positive"]}, ":2: 2 docs but 1 labels"),
        ({"labels": ["positive", "hadr"]}, ":2: 'labels' has 'hadr'; wanted positive, hard or easy"),
        ({"labels": ["hard", "positive"]}, ":2: the first of 'labels' is 'hard'; wanted the positive first"),
        ({"scores": ["a", "b"]}, ":2: 'scores[0]': expected `float`, got `str`"),
    ],
)
def test_a_bad_group_is_named_by_path_and_line(tmp_path: Path, change: dict[str, object], message: str) -> None:
    lines = [json.dumps(GOOD | c, ensure_ascii=False) for c in ({}, change)]
    (tmp_path / "g.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError) as error:
        list(read_groups(tmp_path / "g.jsonl"))
    assert message in str(error.value)


def test_a_score_that_is_no_number_is_refused(tmp_path: Path) -> None:
    (tmp_path / "g.jsonl").write_text(json.dumps(GOOD | {"scores": [float("nan"), 1.0]}), encoding="utf-8")
    with pytest.raises(InputError, match=r"g\.jsonl:1: 'scores' has NaN, which is not JSON; wanted finite numbers"):
        list(read_groups(tmp_path / "g.jsonl"))


def test_an_infinite_score_is_refused_by_its_line_and_other_bad_json_as_it_ever_was(tmp_path: Path) -> None:
    good = json.dumps(GOOD)
    (tmp_path / "g.jsonl").write_text(good + "\n\n" + good.replace("1.0", "-Infinity"), encoding="utf-8")
    with pytest.raises(InputError, match=r"g\.jsonl:3: 'scores' has -Infinity, which is not JSON"):
        list(read_groups(tmp_path / "g.jsonl"))
    (tmp_path / "g.jsonl").write_text(good + "\n{NaN}", encoding="utf-8")
    with pytest.raises(InputError, match=r"g\.jsonl:2: JSON is malformed"):
        list(read_groups(tmp_path / "g.jsonl"))


def test_a_second_positive_of_a_group_is_no_negative_of_its_query(vocabulary: Vocabulary, tmp_path: Path) -> None:
    first = {"query": "희소 검색", "docs": ["역색인은 길이다.", "책을 읽었다."], "scores": [2.0, 1.0]}
    second = {"query": "도서관", "docs": ["책을 읽었다."], "scores": [1.0]}
    lines = [json.dumps(g, ensure_ascii=False) for g in (first | {"labels": ["positive", "positive"]}, second)]
    (tmp_path / "g.jsonl").write_text("\n".join(lines), encoding="utf-8")
    data = read_examples([(tmp_path / "g.jsonl", 1.0)], vocabulary, query_tokens=8, document_tokens=8)
    batch = draw(data, data.examples, hard=1, easy=1, random_state=random.Random(1))
    allowed = allowed_documents(batch, data, in_batch=True)
    place = {n: i for i, n in enumerate(batch.documents)}
    assert allowed[:, [place[0], place[1]]].tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"docs": ["역색인은 길이다.", "\u200b"]}, "the document '\\u200b' is empty after tokenisation"),
        ({"query": "\u200b검"[:1]}, "is in the vocabulary; is this the tokenizer that the data is for?"),
        ({"scores": [float("nan"), 1.0]}, ""),
        ({"scores": [1.0]}, "2 docs but 1 scores"),
    ],
)
def test_what_cannot_be_trained_on_is_named_by_its_line_past_blank_ones(
    vocabulary: Vocabulary, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    lines = [json.dumps(GOOD | c, ensure_ascii=False) for c in ({}, change)]
    (tmp_path / "g.jsonl").write_text("\n\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_examples([(tmp_path / "g.jsonl", 1.0)], vocabulary, query_tokens=8, document_tokens=8)
    assert f"{tmp_path}/g.jsonl:3: " in str(error.value)
    assert message in str(error.value)


def test_batches_depend_on_the_seed_alone(data: Path, vocabulary: Vocabulary) -> None:
    examples = read_examples([(data / "train.jsonl", 1.0)], vocabulary, query_tokens=8, document_tokens=16)
    first, second, other = (
        list(itertools.islice(batches(examples, batch=3, hard=1, easy=1, seed=seed), 5)) for seed in (1, 1, 2)
    )
    assert first == second != other
    assert all(len(group) == 3 for batch in first for group in batch.groups)


def test_an_epoch_holds_every_group_once(data: Path, vocabulary: Vocabulary) -> None:
    examples = read_examples([(data / "train.jsonl", 1.0)], vocabulary, query_tokens=8, document_tokens=16)
    epoch = list(itertools.islice(batches(examples, batch=4, hard=0, easy=0, seed=1), 2))
    assert {e.query for batch in epoch for e in batch.examples} == {e.query for e in examples.examples}


def test_files_are_drawn_by_their_weights(data: Path, vocabulary: Vocabulary) -> None:
    files = [(data / "train.jsonl", 3.0), (data / "train.jsonl", 1.0)]
    examples = read_examples(files, vocabulary, query_tokens=8, document_tokens=16)
    assert sum(examples.weights[:8]) == pytest.approx(3 * sum(examples.weights[8:]))
