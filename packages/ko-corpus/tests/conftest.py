"""What the tests share: the golden samples of the formats, and a small tokenizer."""

from pathlib import Path

import pytest
from hypothesis import settings
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from tokenizers.decoders import WordPiece as WordPieceDecoder

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def repository() -> Path:
    return Path(__file__).parents[3]


@pytest.fixture
def golden(repository: Path) -> Path:
    return repository / "docs" / "formats" / "golden"


@pytest.fixture
def wordpiece() -> Tokenizer:
    """WordPiece over [UNK], [PAD], 검색, 희소, ##어, weight and vector; it truncates, as saved tokenizers do."""
    tokens = ["[PAD]", "[UNK]", "검색", "희소", "##어", "weight", "vector"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = WordPieceDecoder()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]"])
    tokenizer.enable_truncation(2)
    return tokenizer
