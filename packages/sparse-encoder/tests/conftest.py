"""What several tests share: the golden samples, a small tokenizer, and data to train on in a second."""

import json
from pathlib import Path

import pytest
import torch
from sparse_encoder.pieces import count_pieces
from sparse_encoder.tokenizer_build import Choice, assemble, choose, save_tokenizer
from sparse_encoder.vocabulary import Vocabulary, read_vocabulary

TEXTS = [
    "희소 검색은 단어마다 가중치(weight)를 둔다.",
    "역색인(inverted index)은 단어에서 문서로 가는 길이다.",
    "도서관에서 학생들이 책을 빌려 읽었다.",
    "임베딩(embedding)은 단어를 벡터로 바꾼다.",
    "클러스터를 업그레이드하기 전에 백업을 만든다.",
    "서울의 지하철은 아침마다 사람으로 붐빈다.",
    "A sparse vector keeps few terms.",
    "세금은 소득에 따라 달라진다.",
]
QUERIES = [
    "희소 검색",
    "역색인",
    "도서관 학생",
    "임베딩 벡터",
    "클러스터 백업",
    "서울 지하철",
    "sparse vector",
    "소득 세금",
]


@pytest.fixture(scope="session")
def golden() -> Path:
    return Path(__file__).parents[3] / "docs" / "formats" / "golden"


@pytest.fixture(scope="session")
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer") / "tokenizer"
    counts = count_pieces([*TEXTS, *QUERIES])
    save_tokenizer(assemble(choose(counts, Choice(vocab_size=600))), folder, max_tokens=64)
    return folder


@pytest.fixture(scope="session")
def vocabulary(tokenizer_folder: Path) -> Vocabulary:
    return read_vocabulary(tokenizer_folder)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory, tokenizer_folder: Path, vocabulary: Vocabulary) -> Path:
    """A folder with everything that a recipe names, and the recipe."""
    folder = tmp_path_factory.mktemp("data")
    groups = [
        {
            "query": query,
            "docs": [TEXTS[i], TEXTS[(i + 1) % 8], TEXTS[(i + 3) % 8]],
            "scores": [10.0, 4.0, 0.5],
            "labels": ["positive", "hard", "easy"],
        }
        for i, query in enumerate(QUERIES)
    ]
    lines = "".join(json.dumps(group, ensure_ascii=False) + "\n" for group in groups)
    (folder / "train.jsonl").write_text(lines, encoding="utf-8")
    special = set(vocabulary.special_ids)
    idf = {token: 2.0 for i, token in enumerate(vocabulary.tokens) if i not in special}
    (folder / "idf.json").write_text(json.dumps(idf, ensure_ascii=False), encoding="utf-8")
    pairs = [{"ko": "검색", "en": "sparse", "weight": 0.9}, {"ko": "단어", "en": "weight", "weight": 0.5}]
    (folder / "terms.jsonl").write_text(
        "".join(json.dumps(p, ensure_ascii=False) + "\n" for p in pairs), encoding="utf-8"
    )
    passages = [{"_id": f"d{i}", "title": "", "text": text, "metadata": {}} for i, text in enumerate(TEXTS)]
    corpus = "".join(json.dumps(p, ensure_ascii=False) + "\n" for p in passages)
    (folder / "corpus.jsonl").write_text(corpus, encoding="utf-8")
    (folder / "recipe.yaml").write_text(
        f"""
model: {{size: tiny, tokenizer: {tokenizer_folder}, idf: idf.json, max_tokens: 64, max_active_terms: 40}}
train: [train.jsonl]
validation: train.jsonl
term_pairs: terms.jsonl
steps: 6
batch: 4
columns: 100
document_tokens: 32
checkpoint_every: 2
precision: fp32
losses: {{alignment: {{pairs: 2}}, kl: {{weight: 0.1}}}}
""",
        encoding="utf-8",
    )
    return folder


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
