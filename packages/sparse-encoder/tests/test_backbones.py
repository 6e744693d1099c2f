import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from pretrained import MODELS, save_pretrained
from safetensors.torch import load_file, save_file
from sentence_transformers import SparseEncoder
from sparse_encoder._files import InputError
from sparse_encoder.backbone_folder import read_backbone, write_backbone
from sparse_encoder.encoding import encode_texts
from sparse_encoder.exporting import export
from sparse_encoder.hub import start_folder
from sparse_encoder.inspection import inspect
from sparse_encoder.model_folder import SparseModel, read_model, write_model
from sparse_encoder.network import padded
from sparse_encoder.pruning import Pruning
from sparse_encoder.query_side import read_query_side
from sparse_encoder.recipe import read_recipe
from sparse_encoder.starting import read_start
from sparse_encoder.training import train
from sparse_encoder.vocabulary import read_vocabulary
from transformers import AutoTokenizer, PreTrainedModel

TEXTS = ["희소 검색은 단어마다 가중치(weight)를 둔다.", "문서", "역색인 " * 20, "A sparse vector."]


@dataclass(frozen=True)
class Pretrained:
    """A tiny model as transformers has it, its folder, and what training makes of it."""

    theirs: PreTrainedModel
    folder: Path
    trained: SparseModel


@pytest.fixture(scope="module", params=list(MODELS))
def pretrained(
    request: pytest.FixtureRequest, data: Path, tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Pretrained:
    folder = tmp_path_factory.mktemp(request.param) / "mlm"
    texts = (data / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    theirs = save_pretrained(request.param, folder, texts, tokenizer_folder)
    recipe = folder.parent / "recipe.yaml"
    recipe.write_text(
        f"""
model: {{start_from: mlm, idf: idf.json, max_tokens: 64, max_active_terms: 40, lexical_channel: true}}
train: [{data / "train.jsonl"}]
validation: {data / "train.jsonl"}
steps: 2
batch: 4
document_tokens: 32
learning_rate: 0.0001
precision: fp32
""",
        encoding="utf-8",
    )
    found = train(read_recipe(recipe), work=folder.parent / "work", log=lambda line: None)
    assert "val_ndcg_at_10" in found.history[-1]
    return Pretrained(theirs=theirs, folder=folder, trained=found.model)


def test_it_computes_what_transformers_computes(pretrained: Pretrained) -> None:
    vocabulary = read_vocabulary(pretrained.folder)
    ours = read_backbone(pretrained.folder, vocab_size=len(vocabulary.tokens)).eval()
    ids, mask = padded(
        vocabulary.encode(TEXTS, max_tokens=60, special=True),
        device=torch.device("cpu"),
        pad=pretrained.theirs.config.pad_token_id,
    )
    with torch.no_grad():
        wanted = pretrained.theirs(input_ids=ids, attention_mask=mask).logits[..., : len(vocabulary.tokens)]
        logits = ours.hidden(ids, mask) @ ours.output_weight().T + ours.output_bias()
    torch.testing.assert_close(logits[mask == 1], wanted[mask == 1], atol=1e-4, rtol=1e-4)


def test_plain_sentence_transformers_loads_what_training_saved(pretrained: Pretrained, tmp_path: Path) -> None:
    plain = SparseModel(
        bert=pretrained.trained.bert,
        idf=pretrained.trained.idf,
        vocabulary=pretrained.trained.vocabulary,
        max_tokens=64,
        max_active_terms=40,
    )
    write_model(plain, tmp_path / "m")
    theirs = SparseEncoder(str(tmp_path / "m"), device="cpu")
    found = theirs.encode_document(TEXTS).to_dense().numpy()
    vectors = encode_texts(read_model(tmp_path / "m"), TEXTS, pruning=Pruning(top_k=40))
    for row, (ids, weights) in zip(found, vectors, strict=True):
        assert np.flatnonzero(row).tolist() == ids.tolist()
        np.testing.assert_allclose(row[ids], weights, atol=2e-5)
    (query,) = read_query_side(tmp_path / "m").encode([("a", "희소 검색")])
    assert np.flatnonzero(theirs.encode_query("희소 검색").to_dense().numpy()).tolist() == query.token_ids.tolist()


def test_the_lexical_channel_travels_with_it(pretrained: Pretrained, tmp_path: Path) -> None:
    write_model(pretrained.trained, tmp_path / "m")
    theirs = SparseEncoder(str(tmp_path / "m"), device="cpu", trust_remote_code=True)
    found = theirs.encode_document(TEXTS).to_dense().numpy()
    for row, (ids, weights) in zip(
        found, encode_texts(pretrained.trained, TEXTS, pruning=Pruning(top_k=40)), strict=True
    ):
        np.testing.assert_allclose(row[ids], weights, atol=2e-5)


def test_its_tokenizer_names_its_special_tokens(pretrained: Pretrained, tmp_path: Path) -> None:
    write_model(pretrained.trained, tmp_path / "m")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "m" / "document_0_Transformer")
    assert tokenizer("검색")["input_ids"][0] == tokenizer.cls_token_id
    assert tokenizer.pad_token_id == pretrained.theirs.config.pad_token_id


def test_every_export_agrees_with_pytorch(pretrained: Pretrained, tmp_path: Path) -> None:
    report = export(pretrained.trained, tmp_path / "deploy", name="ko", texts=TEXTS)
    assert max(p.largest_difference for p in report.parity) <= 1e-4


def test_inspect_says_which_vocabularies_opensearch_cannot_key(pretrained: Pretrained) -> None:
    report = inspect(pretrained.trained, name="m", texts=TEXTS)
    (keys,) = [c for c in report.checks if c.check == "decoded_keys"]
    assert keys.ok == (pretrained.theirs.config.model_type in ("bert", "roberta"))


def test_an_architecture_that_is_not_computed_here_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "deberta-v2", "vocab_size": 5}))
    with pytest.raises(InputError, match=r"is a 'deberta-v2', .* wanted one of bert, roberta, xlm-roberta, modernbert"):
        read_backbone(tmp_path)


def test_another_activation_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert", "vocab_size": 5, "hidden_act": "relu"}))
    with pytest.raises(InputError, match="is a 'bert' with 'relu'; wanted gelu"):
        read_backbone(tmp_path)


def test_embeddings_that_are_not_tied_are_refused(pretrained: Pretrained, tmp_path: Path) -> None:
    shutil.copytree(pretrained.folder, tmp_path / "m")
    found = load_file(tmp_path / "m" / "model.safetensors")
    words = next(t for n, t in found.items() if n.endswith(("word_embeddings.weight", "tok_embeddings.weight")))
    save_file(found | {"lm_head.decoder.weight": words + 1}, tmp_path / "m" / "model.safetensors")
    with pytest.raises(InputError, match=r"'lm_head.decoder.weight' is not the word embeddings"):
        read_backbone(tmp_path / "m")


def test_a_pickle_is_not_read(pretrained: Pretrained, tmp_path: Path) -> None:
    shutil.copytree(pretrained.folder, tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").rename(tmp_path / "m" / "pytorch_model.bin")
    with pytest.raises(InputError, match="only a pickle, which is not read here"):
        read_backbone(tmp_path / "m")


def test_another_tokenizer_than_its_own_is_refused(pretrained: Pretrained, golden: Path) -> None:
    with pytest.raises(InputError, match="was made with another tokenizer"):
        read_start(pretrained.folder, read_vocabulary(golden / "tokenizer"), max_tokens=32)


def test_more_tokens_than_it_has_positions_for_are_refused(pretrained: Pretrained) -> None:
    with pytest.raises(InputError, match=r"reads \d+ tokens; 'model.max_tokens' is 99"):
        read_start(pretrained.folder, read_vocabulary(pretrained.folder), max_tokens=99)


def test_a_name_on_the_hub_is_found_in_its_cache(pretrained: Pretrained, tmp_path: Path) -> None:
    commit = "0" * 40
    repository = tmp_path / "models--klue--tiny"
    shutil.copytree(pretrained.folder, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    program = "from pathlib import Path; from sparse_encoder.hub import start_folder as f; print(f('klue/tiny', "
    run = subprocess.run(
        [sys.executable, "-c", program + f"beside=Path({str(tmp_path)!r})))"],
        env=os.environ | {"HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(run.stdout.strip()) == repository / "snapshots" / commit


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert start_folder("../gone", beside=tmp_path) == tmp_path / "../gone"
    with pytest.raises(InputError, match="no such file; wanted a folder of a masked language model"):
        read_backbone(tmp_path / "gone")


def test_the_golden_backbone_is_written_as_it_was_read(golden: Path, tmp_path: Path) -> None:
    vocabulary = read_vocabulary(golden / "backbone")
    found = read_backbone(golden / "backbone", vocab_size=len(vocabulary.tokens))
    write_backbone(found, vocabulary.tokenizer, tmp_path / "a", max_tokens=32)
    write_backbone(read_backbone(tmp_path / "a"), vocabulary.tokenizer, tmp_path / "b", max_tokens=32)
    weights = load_file(golden / "backbone" / "model.safetensors")
    written = load_file(tmp_path / "a" / "model.safetensors")
    assert weights.keys() == written.keys()
    assert all(torch.equal(weights[name], written[name]) for name in weights)
    names = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    assert sorted(p.name for p in (tmp_path / "b").iterdir()) == names
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in names)
