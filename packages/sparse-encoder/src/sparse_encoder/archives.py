"""Zip files and registration configs as ML Commons wants them, the same bytes from the same model."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from sparse_encoder._files import whole, write_json


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `_register_meta`, less `total_chunks`."""

    name: str
    version: str = "1.0.0"
    model_format: str = "TORCH_SCRIPT"
    function_name: Literal["SPARSE_ENCODING", "SPARSE_TOKENIZE"]
    model_content_size_in_bytes: int
    model_content_hash_value: str
    description: str


def write_archive(path: Path, files: Mapping[str, bytes]) -> None:
    """Writes a zip with the files at its root, in the order given and without times."""
    with whole(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)


def write_registration(
    archive: Path, *, name: str, function: Literal["SPARSE_ENCODING", "SPARSE_TOKENIZE"], description: str
) -> Path:
    """Writes `<archive>.config.json` (without the .zip) beside the archive and returns its path."""
    data = archive.read_bytes()
    registration = Registration(
        name=name,
        function_name=function,
        model_content_size_in_bytes=len(data),
        model_content_hash_value=hashlib.sha256(data).hexdigest(),
        description=description,
    )
    path = archive.with_name(f"{archive.stem}.config.json")
    write_json(path, registration)
    return path
