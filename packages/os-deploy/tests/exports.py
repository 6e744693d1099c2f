"""Small export folders for the tests: real zips with a real tokenizer, made without torch.

The encoder is `data/bag.pt`, which `data/make_bag.py` made: each token of the text weighs 1 + (id mod 7) / 4.
"""

import hashlib
import json
import math
import random
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import WordPiece as WordPieceDecoder
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = " ".join(
    [
        "희소 검색 은 는 을 를 이 가 단어 마다 가중치 ( ) weight 둔다 . 역색인 inverted index 에서 문서",
        "로 가는 길 이다 a sparse vector keeps few terms 도서관 학생 책 빌리 다 한국 어 형태소 분석 기 날씨 맑 음 서버",
        "클러스터 kubernetes 노드 장애 복구 ##은 ##는 ##을 ##를 ##이 ##가 ##에서 ##로 ##다 ##인 ##색 ##마다 ##이다",
    ]
).split()
N_TOKENS = 5 + len(WORDS)


def make_tokenizer(*, strip_accents: bool = False, words: list[str] = WORDS) -> Tokenizer:
    """A WordPiece tokenizer over `words`."""
    vocabulary = {token: i for i, token in enumerate([*SPECIAL, *words])}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(strip_accents=strip_accents, lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.decoder = WordPieceDecoder(prefix="##", cleanup=False)
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in SPECIAL])
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return tokenizer


def make_idf(words: list[str] = WORDS) -> dict[str, float]:
    """A weight for every token: rarer with its place."""
    return {word: round(math.log(1 + place + 0.5), 6) for place, word in enumerate(words, start=1)}


BAG = Path(__file__).with_name("data") / "bag.pt"


def bag_weight(token_id: int) -> float:
    """What the encoder gives a token that is there."""
    return 1 + (token_id % 7) / 4


def write_bundle(folder: Path, name: str, function: str, files: Mapping[str, bytes]) -> Path:
    """A zip of `files` and its config; returns the zip's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(zipfile.ZipInfo(member), content)
    config = {
        "name": name,
        "version": "1.0.0",
        "model_format": "TORCH_SCRIPT",
        "function_name": function,
        "model_content_size_in_bytes": path.stat().st_size,
        "model_content_hash_value": hashlib.sha256(path.read_bytes()).hexdigest(),
        "description": "made by a test",
    }
    (folder / f"{name}.config.json").write_text(json.dumps(config), encoding="utf-8")
    return path


def write_export(
    folder: Path, *, tokenizer: Tokenizer | None = None, idf: dict[str, float] | None = None, padding: int = 0
) -> Path:
    """An export folder with an encoder and a tokenizer; `padding`: bytes of a file that makes the encoder large."""
    content = (tokenizer or make_tokenizer()).to_str().encode()
    weights = json.dumps(make_idf() if idf is None else idf, ensure_ascii=False).encode()
    files = {"model.pt": BAG.read_bytes(), "tokenizer.json": content}
    if padding:
        files["LICENSE"] = random.Random(0).randbytes(padding)
    write_bundle(folder, "encoder", "SPARSE_ENCODING", files)
    write_bundle(folder, "tokenizer", "SPARSE_TOKENIZE", {"tokenizer.json": content, "idf.json": weights})
    return folder


def encode_queries(folder: Path, *, second: bool) -> Path:
    """Makes an export one of a model that encodes its queries: by the documents' encoder, or by a second one."""
    for name in ("tokenizer.zip", "tokenizer.config.json"):
        (folder / name).unlink()
    if second:
        content = make_tokenizer().to_str().encode()
        files = {"model.pt": BAG.read_bytes(), "tokenizer.json": content, "LICENSE": b"of the second"}
        write_bundle(folder, "query_encoder", "SPARSE_ENCODING", files)
    return folder


SUBJECTS = [
    "희소 검색",
    "역색인",
    "도서관 학생",
    "형태소 분석",
    "kubernetes 클러스터",
    "서버 장애",
    "sparse vector",
    "날씨",
]
PREDICATES = [
    "단어마다 가중치를 둔다",
    "문서로 가는 길이다",
    "책을 빌리다",
    "few terms",
    "복구",
    "맑다",
    "한국어 분석",
    "노드",
]


def write_passages(folder: Path, n_passages: int) -> Path:
    """A BEIR folder of short passages, all different."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "corpus.jsonl").open("w", encoding="utf-8") as lines:
        for number in range(n_passages):
            subject = SUBJECTS[number % len(SUBJECTS)]
            predicate = PREDICATES[number // len(SUBJECTS) % len(PREDICATES)]
            passage = {
                "_id": f"doc-{number // 4}#{number % 4}",
                "title": subject,
                "text": f"{subject}은 {predicate}." + " inverted index" * (number // 64 % 3),
                "metadata": {"document_id": f"doc-{number // 4}", "language": "ko", "published": "2026-01-31"},
            }
            lines.write(json.dumps(passage, ensure_ascii=False) + "\n")
    return folder


def bag_vector(tokenizer: Tokenizer, text: str) -> dict[str, float]:
    """What the encoder of `write_export` makes of a text, by token."""
    encoding = tokenizer.encode(text)
    return {t: bag_weight(i) for t, i in zip(encoding.tokens, encoding.ids, strict=True) if t not in SPECIAL}


def write_vectors(path: Path, passages: Path) -> Path:
    """The vectors of a BEIR folder's passages as JSON Lines."""
    tokenizer = make_tokenizer()
    with path.open("w", encoding="utf-8") as lines:
        for line in (passages / "corpus.jsonl").read_text(encoding="utf-8").splitlines():
            passage = json.loads(line)
            vector = {"id": passage["_id"], "vector": bag_vector(tokenizer, passage["text"])}
            lines.write(json.dumps(vector, ensure_ascii=False) + "\n")
    return path


DIMENSIONS = 8


def dense_vector(text: str) -> list[float]:
    """A unit vector that texts with the same words share: words counted by the remainder of their hash."""
    counts = [0.0] * DIMENSIONS
    for word in text.split():
        counts[hashlib.sha256(word.encode()).digest()[0] % DIMENSIONS] += 1
    length = math.sqrt(sum(c * c for c in counts)) or 1.0
    return [c / length for c in counts]


def write_embeddings(folder: Path, kind: str, texts: Mapping[str, str]) -> Path:
    """A folder of dense vectors of `kind` (document or query), as `sparse-mining embed` lays it out."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = np.array([dense_vector(text) for text in texts.values()], dtype=np.float32)
    np.save(folder / f"{kind}_embeddings.npy", rows)
    (folder / f"{kind}_ids.json").write_text(json.dumps(list(texts), ensure_ascii=False), encoding="utf-8")
    return folder


def read_titles(passages: Path) -> dict[str, str]:
    """Title of each passage of a BEIR folder, by id."""
    lines = (passages / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    return {passage["_id"]: passage["title"] for passage in map(json.loads, lines)}


def write_recipe(folder: Path, name: str, *, n_passages: int = 40, more: str = "", vectors: bool = True) -> Path:
    """An export, passages, their vectors and a recipe over them; `more` is YAML."""
    write_export(folder / "deploy")
    passages = write_passages(folder / "passages", n_passages)
    lines = [f"name: {name}", "export: deploy", "passages: passages"]
    if vectors:
        write_vectors(folder / "vectors.jsonl", passages)
        lines.append("vectors: vectors.jsonl")
    path = folder / "deploy.yaml"
    path.write_text("\n".join([*lines, more]) + "\n", encoding="utf-8")
    return path
