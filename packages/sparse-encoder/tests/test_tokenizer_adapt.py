from pathlib import Path

import pytest
import torch
from pretrained import save_pretrained
from sparse_encoder._files import InputError
from sparse_encoder.backbone_folder import read_backbone
from sparse_encoder.cli import app
from sparse_encoder.tokenizer_adapt import adapt, cut
from sparse_encoder.vocabulary import read_vocabulary
from transformers import AutoModelForMaskedLM, AutoTokenizer
from typer.testing import CliRunner

TEXTS = ["문서벡터 문서벡터", "역색인벡터"]


@pytest.fixture(scope="module", params=["bert", "roberta"])
def folder(request: pytest.FixtureRequest, tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("adapt") / "mlm"
    save_pretrained(request.param, path, TEXTS, tokenizer_folder)
    return path


def test_a_new_token_starts_as_the_mean_of_its_pieces(folder: Path) -> None:
    before, known = read_vocabulary(folder), read_backbone(folder)
    found = adapt(folder, TEXTS, n_added=5, min_count=1, largest=32_768)
    assert found.added[0] == "##벡터"
    ids = [before.ids["##벡"], before.ids["##터"]]
    place = found.tokenizer.token_to_id("##벡터")
    torch.testing.assert_close(found.backbone.output_weight()[place], known.output_weight()[ids].mean(dim=0))
    torch.testing.assert_close(found.backbone.output_bias()[place], known.output_bias()[ids].mean())


def test_known_tokens_keep_their_rows_and_ids(folder: Path) -> None:
    before = read_vocabulary(folder)
    known = read_backbone(folder)
    found = adapt(folder, TEXTS, n_added=3, min_count=1, largest=32_768)
    n = len(before.tokens)
    assert len(found.backbone.output_bias()) == n + len(found.added)
    torch.testing.assert_close(found.backbone.output_weight()[:n], known.output_weight())
    assert [found.tokenizer.token_to_id(token) for token in before.tokens] == list(range(n))
    assert [found.tokenizer.token_to_id(token) for token in found.added] == list(range(n, n + len(found.added)))


def test_words_then_fall_into_the_new_morphemes(folder: Path, data: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('{"_id": "1", "text": "문서벡터 도서관벡터"}\n', encoding="utf-8")
    arguments = ["tokenizer", "adapt", folder, corpus, "-o", tmp_path / "wide", "--add", "9", "--min-count", "1"]
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    before, after = read_vocabulary(folder), read_vocabulary(tmp_path / "wide")
    n = [len(v.tokenizer.encode("문서벡터 도서관벡터", add_special_tokens=False).ids) for v in (before, after)]
    assert n[1] < n[0]
    theirs = AutoModelForMaskedLM.from_pretrained(tmp_path / "wide")
    assert theirs.get_input_embeddings().num_embeddings == len(AutoTokenizer.from_pretrained(tmp_path / "wide"))
    assert (tmp_path / "wide.manifest.json").is_file()


def test_a_vocabulary_without_room_is_refused(folder: Path) -> None:
    n = len(read_vocabulary(folder).tokens)
    with pytest.raises(InputError, match=f"has {n} tokens already, and the largest vocabulary wanted is {n}"):
        adapt(folder, TEXTS, n_added=5, min_count=1, largest=n)


def test_a_vocabulary_that_is_not_wordpiece_is_refused(tokenizer_folder: Path, tmp_path: Path) -> None:
    save_pretrained("xlm-roberta", tmp_path / "mlm", TEXTS, tokenizer_folder)
    with pytest.raises(InputError, match="has a Unigram vocabulary; only WordPiece"):
        adapt(tmp_path / "mlm", TEXTS, n_added=5, min_count=1, largest=32_768)


def test_a_piece_with_an_unknown_part_is_not_added() -> None:
    assert cut("##검X", {"##검": 1}) == []
