"""Writes the golden samples that no text editor can: `python checks/golden.py`.

Each is made from its text twin; nothing is written where the values are already there, so that the bytes of a golden
file do not change with the release of a library.
"""

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

GOLDEN = Path(__file__).parents[1] / "docs" / "formats" / "golden"
VOCABULARY = ["[PAD]", "[UNK]", "검색", "희소", "sparse"]
COLUMNS = {
    "id": pa.string(),
    "token_ids": pa.list_(pa.field("element", pa.int32())),
    "weights": pa.list_(pa.field("element", pa.float32())),
}


def vectors_table(lines: Path) -> pa.Table:
    """The vectors of a JSON Lines file as the Parquet form of the same format, token ids ascending in a row."""
    ids = {token: token_id for token_id, token in enumerate(VOCABULARY)}
    columns: dict[str, list[object]] = {name: [] for name in COLUMNS}
    for line in lines.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        row = sorted((ids[token], weight) for token, weight in record["vector"].items())
        columns["id"].append(record["id"])
        columns["token_ids"].append([token_id for token_id, _ in row])
        columns["weights"].append([weight for _, weight in row])
    vocabulary = json.dumps(VOCABULARY, ensure_ascii=False, separators=(",", ":"))
    metadata = {
        "format": "vectors",
        "version": "1",
        "vocabulary": vocabulary,
        "vocabulary_sha256": hashlib.sha256(vocabulary.encode()).hexdigest(),
    }
    return pa.table(columns, schema=pa.schema(COLUMNS.items(), metadata=metadata))


def write_vectors(path: Path, table: pa.Table) -> bool:
    """Writes the table unless the file holds it already; returns whether it wrote."""
    if path.is_file() and pq.read_table(path).equals(table, check_metadata=True):
        return False
    pq.write_table(table, path, compression="zstd")
    return True


if __name__ == "__main__":
    changed = write_vectors(GOLDEN / "vectors.parquet", vectors_table(GOLDEN / "vectors.jsonl"))
    print(f"vectors.parquet: {'written' if changed else 'unchanged'}")
