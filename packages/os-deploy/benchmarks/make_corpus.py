"""Makes a corpus to measure with: passages, vectors, queries and a query tokenizer, all drawn from one Zipf law.

    python make_corpus.py FOLDER [N_PASSAGES]

A passage has 40 words of a vocabulary of 20,000, its vector those words and as many drawn for expansion (about 75
active terms); a query has 6 words. Lengths of posting lists, which decide the latency, then fall off as those of a
language do.
"""

import hashlib
import json
import math
import random
import sys
import zipfile
from collections import Counter
from itertools import accumulate, product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import WhitespaceSplit

N_WORDS = 20_000
SPECIAL = ["[PAD]", "[UNK]"]


def make_words() -> list[str]:
    """Words of two and three syllables, all different."""
    syllables = [chr(c) for c in range(ord("가"), ord("힣"), 79)]
    return ["".join(pair) for pair in list(product(syllables, repeat=2)) + list(product(syllables[:20], repeat=3))][
        :N_WORDS
    ]


def make(folder: Path, n_passages: int) -> None:
    """Writes everything that a deployment of `n_passages` needs."""
    chance = random.Random(42)
    words = make_words()
    chance.shuffle(words)
    weights = list(accumulate(1 / (rank + 10) for rank in range(N_WORDS)))
    (folder / "passages").mkdir(parents=True, exist_ok=True)
    frequency: Counter[int] = Counter()
    ids, tokens, values = [], [], []
    with (folder / "passages/corpus.jsonl").open("w", encoding="utf-8") as lines:
        for number in range(n_passages):
            drawn = chance.choices(range(N_WORDS), cum_weights=weights, k=80)
            text = [words[i] for i in drawn[:40]]
            record = {"_id": f"d-{number}#0", "title": " ".join(text[:3]), "text": " ".join(text), "metadata": {}}
            lines.write(json.dumps(record, ensure_ascii=False) + "\n")
            terms = sorted(set(drawn))
            frequency.update(terms)
            ids.append(record["_id"])
            tokens.append([t + len(SPECIAL) for t in terms])
            values.append([round(0.1 + chance.random() * 2.4, 4) for _ in terms])
    columns = {
        "id": ids,
        "token_ids": pa.array(tokens, pa.list_(pa.int32())),
        "weights": pa.array(values, pa.list_(pa.float32())),
    }
    pq.write_table(pa.table(columns), folder / "vectors.parquet")
    idf = {w: math.log(1 + (n_passages - frequency[i] + 0.5) / (frequency[i] + 0.5)) for i, w in enumerate(words)}
    write_tokenizer(folder / "deploy", words, idf)
    with (folder / "queries.jsonl").open("w", encoding="utf-8") as lines:
        for number in range(500):
            query = [words[i] for i in chance.choices(range(N_WORDS), cum_weights=weights, k=6)]
            lines.write(json.dumps({"_id": f"q-{number}", "text": " ".join(query)}, ensure_ascii=False) + "\n")
    print(f"{n_passages:,} passages of {sum(map(len, tokens)) / n_passages:.1f} active terms", file=sys.stderr)


def write_tokenizer(folder: Path, words: list[str], idf: dict[str, float]) -> None:
    """The SPARSE_TOKENIZE zip and its config."""
    folder.mkdir(exist_ok=True)
    vocabulary = {token: i for i, token in enumerate([*SPECIAL, *words])}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(strip_accents=False)
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in SPECIAL])
    path = folder / "tokenizer.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tokenizer.json", tokenizer.to_str())
        archive.writestr("idf.json", json.dumps(idf, ensure_ascii=False))
    config = {
        "name": "bench-tokenizer",
        "version": "1.0.0",
        "model_format": "TORCH_SCRIPT",
        "function_name": "SPARSE_TOKENIZE",
        "model_content_size_in_bytes": path.stat().st_size,
        "model_content_hash_value": hashlib.sha256(path.read_bytes()).hexdigest(),
        "description": "for benchmarks",
    }
    (folder / "tokenizer.config.json").write_text(json.dumps(config), encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)
