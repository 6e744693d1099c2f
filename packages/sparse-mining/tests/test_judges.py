"""Tests of `judges`, with a cross-encoder of random weights that the test makes."""

import shutil
import sys
from pathlib import Path

import pytest
from sparse_mining import cli
from sparse_mining._files import InputError
from sparse_mining.bounds import Bounds, Margin
from sparse_mining.judges import Judge, Pool, Scored, judge
from sparse_mining.mining import Plan
from sparse_mining.pairs import Pair
from sparse_mining.passages import read_collection

from .test_mining import mined

PAIR = Pair(query_id="q", query="지구를 돈다 금리는 물가를", doc_id="sky#1", kind="question")
PLAN = Plan(quotas={"bm25": 2}, n_easy=1, bounds=Bounds(margin=Margin(relative=None)), threshold=0.5)


def scored(passages: Path, **scores: float) -> Judge:
    """A judge that knows scores of passages, whose ids are spelt with `_` for `#`, for the query of `PAIR`."""
    rows = read_collection(passages).rows
    return Scored({("지구를 돈다 금리는 물가를", rows[name.replace("_", "#")]): s for name, s in scores.items()})


def test_a_candidate_scored_above_the_threshold_is_left_out_and_counted(passages: Path) -> None:
    plain = mined(passages, [PAIR], PLAN)[0]
    assert plain.group.d_ids[1] == "money#0"
    one = mined(passages, [PAIR], PLAN, judge=scored(passages, money_0=0.51, sky_1=0.9))[0]
    assert "money#0" not in one.group.d_ids
    assert [(d.candidate.source, d.reason) for d in one.dropped if d.reason == "teacher"] == [("bm25", "teacher")]


def test_a_score_at_the_threshold_stays_and_one_that_is_not_known_is_counted(passages: Path) -> None:
    one = mined(passages, [PAIR], PLAN, judge=scored(passages, money_0=0.5))[0]
    assert "money#0" in one.group.d_ids
    n_hard = one.group.labels.count("hard")
    assert one.n_unjudged == n_hard - 1
    assert mined(passages, [PAIR], PLAN)[0].n_unjudged == 0


def test_a_file_that_scores_none_of_the_passages_is_refused(passages: Path, golden: Path, tmp_path: Path) -> None:
    shutil.copy(golden / "groups.jsonl", tmp_path / "scored.jsonl")
    with pytest.raises(InputError, match="scores no passage of"):
        judge(str(tmp_path / "scored.jsonl"), read_collection(passages), titles=False)


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one layer and random weights with one output, as sentence-transformers saves it."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("model")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"지구를돈다금리는물가별은밤하늘에빛난배추김치"]
    tokenizer = Tokenizer(models.WordPiece({w: i for i, w in enumerate(dict.fromkeys(words))}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=64,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        num_labels=1,
        initializer_range=0.5,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_a_cross_encoder_scores_each_candidate_of_each_pool(passages: Path, cross_encoder: Path) -> None:
    asked = judge(f"cross:{cross_encoder}", read_collection(passages), titles=True)
    found = asked.scores([Pool(PAIR, [0, 5]), Pool(PAIR, []), Pool(PAIR, [5])])
    assert [list(scores) for scores in found] == [[0, 5], [], [5]]
    assert found[0][5] == pytest.approx(found[2][5], abs=1e-5)
    assert 0 < found[0][0] < 1
    assert found[0][0] != found[0][5]


def test_mining_by_a_model_and_by_the_scores_it_wrote_leaves_out_the_same(
    monkeypatch: pytest.MonkeyPatch, passages: Path, pairs: Path, cross_encoder: Path, tmp_path: Path
) -> None:
    def run(*arguments: object) -> None:
        monkeypatch.setattr(sys, "argv", ["sparse-mining", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 0

    asked = ["mine", passages, pairs, "--miners", "dense", "--dimensions", 4, "--val-share", 0, "--easy", 0]
    asked += ["--relative-margin", -1]
    spec = f"cross:{cross_encoder}"
    run(*asked, "-o", tmp_path / "all", "--hard", 11)
    run("score", tmp_path / "all" / "train.jsonl", "-o", tmp_path / "scored.jsonl", "--teacher", spec, "--scale", 0)
    for name, source in (("model", spec), ("file", tmp_path / "scored.jsonl")):
        judged = ["--judge", source, "--judge-threshold", 0.5, "--hard", 3]
        run(*asked, "-o", tmp_path / name, *judged, "--audit", tmp_path / f"{name}.audit.jsonl")
    by_model, by_file = ((tmp_path / f"{name}.audit.jsonl").read_text() for name in ("model", "file"))
    assert by_model.count('"teacher"') > 0
    assert by_model == by_file
