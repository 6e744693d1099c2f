"""Groups as a `datasets` directory, the form that opensearch-sparse-model-tuning-sample loads.

Written with pyarrow alone: `datasets.load_from_disk` reads it and takes the columns' types from the Arrow schema, so
that no version of that library is needed, or favoured, to write it.
"""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from sparse_mining._files import sha256, whole, write_json
from sparse_mining.groups import Group, Shape

BATCH = 1_000
"""Groups in one record batch."""

_TEXTS = pa.list_(pa.string())
_COLUMNS = {"query": pa.string(), "docs": _TEXTS, "scores": pa.list_(pa.float64())}
SCHEMAS: dict[Shape, pa.Schema] = {
    "kd": pa.schema(_COLUMNS),
    "kd-ids": pa.schema({**_COLUMNS, "q_id": pa.string(), "d_ids": _TEXTS}),
}


def write_dataset(groups: Iterable[Group], folder: Path, shape: Shape) -> int:
    """Writes the folder, whole or not at all, and returns how many groups; `groups` is consumed as a stream."""
    name = "data-00000-of-00001.arrow"
    n_groups = 0
    with whole(folder) as part:
        part.mkdir()
        schema = SCHEMAS[shape]
        with pa.OSFile(str(part / name), "wb") as file, pa.ipc.new_stream(file, schema) as stream:
            rows: list[Group] = []
            for group in groups:
                rows.append(group)
                n_groups += 1
                if len(rows) == BATCH:
                    stream.write_batch(_batch(rows, schema))
                    rows = []
            if rows:
                stream.write_batch(_batch(rows, schema))
        write_json(part / "dataset_info.json", {"citation": "", "description": "", "homepage": "", "license": ""})
        write_json(part / "state.json", _state(name, sha256(part / name)[:16]))
    return n_groups


def _batch(rows: list[Group], schema: pa.Schema) -> pa.RecordBatch:
    columns = [pa.array([getattr(group, name) for group in rows], schema.field(name).type) for name in schema.names]
    return pa.record_batch(columns, schema=schema)


def _state(file: str, fingerprint: str) -> dict[str, object]:
    return {
        "_data_files": [{"filename": file}],
        "_fingerprint": fingerprint,
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": None,
    }
