"""Files that are no JSON, told as JSON, so that a JSON Schema can say what must be in them.

An array is its dtype and shape, a Parquet file its columns, metadata and rows, a zip or a folder its files by name.
"""

import json
import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq


def told(path: Path) -> object:
    """What a file or folder holds, in the terms of docs/formats; any other file is its first bytes and size."""
    if path.is_dir():
        return {p.relative_to(path).as_posix(): told(p) for p in sorted(path.rglob("*")) if p.is_file()}
    tellers = {".json": _json, ".npy": _array, ".parquet": _parquet, ".safetensors": _tensors, ".zip": _zip}
    return tellers.get(path.suffix, _bytes)(path)


def _json(path: Path) -> object:
    return json.loads(path.read_text(encoding="utf-8"))


def _array(path: Path) -> object:
    array = np.load(path, allow_pickle=False, mmap_mode="r")
    return {"dtype": str(array.dtype), "shape": list(array.shape)}


def _parquet(path: Path) -> object:
    table = pq.read_table(path)
    types = {field.name: re.sub(r"list<\w+: (\w+)>", r"list<\1>", str(field.type)) for field in table.schema}
    metadata = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    return {"columns": types, "metadata": metadata, "rows": table.to_pylist()}


def _tensors(path: Path) -> object:
    """The header of a safetensors file: its length in eight bytes, then JSON."""
    with path.open("rb") as data:
        (length,) = struct.unpack("<Q", data.read(8))
        header = json.loads(data.read(length))
    return {name: {"dtype": t["dtype"], "shape": t["shape"]} for name, t in header.items() if name != "__metadata__"}


def _zip(path: Path) -> object:
    with zipfile.ZipFile(path) as archive:
        return {info.filename: {"bytes": info.file_size} for info in archive.infolist()}


def _bytes(path: Path) -> object:
    content = path.read_bytes()
    return {"magic": content[:4].decode("latin-1"), "bytes": len(content)}
