"""recipes/base.yaml as it ships, with small models in the place of those that it takes from the hub."""

import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from transformers import BertConfig, BertForMaskedLM

from tests.conftest import SAMPLE, Pipeline, make_pipeline

BASE = Path(__file__).parents[1] / "recipes" / "base.yaml"
SHAPE = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 96}


def save_masked_language_model(folder: Path, tokenizer: Path) -> None:
    """klue/bert-base in small, with random weights."""
    folder.mkdir()
    for file in tokenizer.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    vocab_size = len(json.loads((tokenizer / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"])
    torch.manual_seed(7)
    BertForMaskedLM(BertConfig(vocab_size=vocab_size, max_position_embeddings=512, **SHAPE)).save_pretrained(folder)


@pytest.fixture(scope="module")
def based(tmp_path_factory: pytest.TempPathFactory, finished: Pipeline) -> Pipeline:
    """A run of the recipe on the cut sample: its stages as they ship, a few steps, and recorded answers."""
    folder = tmp_path_factory.mktemp("based")
    start, teacher = folder / "start", folder / "teacher"
    save_masked_language_model(start, finished.made("base_model/tokenizer"))
    words = Transformer(str(start))
    SentenceTransformer(modules=[words, Pooling(words.get_embedding_dimension())]).save(str(teacher))
    made = make_pipeline(folder)
    text = BASE.read_text(encoding="utf-8")
    for name, stand_in in (("klue/bert-base", start), ("intfloat/multilingual-e5-large", teacher)):
        text = text.replace(f" {name}", f" {stand_in}").replace(f"bi:{name}", f"bi:{stand_in}")
    made.recipe.write_text(text, encoding="utf-8")
    recorded = {kind: f"recorded:{SAMPLE}/recorded/{kind}.jsonl" for kind in ("queries", "verdicts")}
    made.change(
        documents=[str(folder / "cut" / "documents")],
        evaluation=str(folder / "cut" / "evaluation"),
        curated_synonyms=str(SAMPLE / "synonyms.jsonl"),
        llm=recorded | {"options": []},
        train={"steps": 3, "batch": 2, "hard_negatives": 10, "easy_negatives": 5, "document_tokens": 64},
    )
    result = made.run()
    assert result.returncode == 0, result.stderr
    return made


def lines(path: Path) -> list[dict[str, list]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_groups_hold_ten_hard_and_five_random_negatives(based: Pipeline) -> None:
    labels = Counter(tuple(sorted(group["labels"])) for group in lines(based.made("enhanced_model/scored.jsonl")))
    assert Counter(labels.most_common(1)[0][0]) == {"positive": 1, "hard": 10, "easy": 5}


def test_the_teacher_s_scores_are_those_that_both_models_learn_from(based: Pipeline) -> None:
    for folder in ("neural_sparse_training", "enhanced_model"):
        mined, scored = (lines(based.made(f"{folder}/{name}.jsonl"))[0] for name in ("train", "scored"))
        assert sorted(mined["docs"]) == sorted(scored["docs"])
        assert 0 <= min(scored["scores"]) < max(scored["scores"]) <= 30


def test_both_models_go_on_from_the_masked_language_model(based: Pipeline) -> None:
    for model in ("base_model/neural_sparse_v1_model", "enhanced_model/neural_sparse_v2_model"):
        config = json.loads(based.made(f"{model}/document_0_Transformer/config.json").read_text(encoding="utf-8"))
        assert (config["hidden_size"], config["num_hidden_layers"]) == (64, 2)
