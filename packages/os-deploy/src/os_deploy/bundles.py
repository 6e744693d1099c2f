"""The models of an export folder: each a zip that ML Commons takes, with the config that describes it.

`sparse-encoder export` writes such folders; anything of the same layout is taken as well.
"""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from os_deploy._files import InputError, read_json
from os_deploy.tokens import ServerTokenizer

FunctionName = Literal["SPARSE_ENCODING", "SPARSE_TOKENIZE"]
Part = Literal["encoder", "query_encoder", "tokenizer"]
"""What a zip is for: `encoder` makes vectors of documents (of queries too, where there is no other for them)."""

QUERY_ENCODER = "query_encoder.zip"
"""The name by which the second of two encoders is known: ML Commons calls both SPARSE_ENCODING."""


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What ML Commons is told about a model when it is registered."""

    name: str
    version: str
    model_format: Literal["TORCH_SCRIPT"]
    function_name: FunctionName
    model_content_size_in_bytes: int
    model_content_hash_value: str
    """sha256 of the zip, in lower-case hexadecimal."""
    description: str = ""


@dataclass(frozen=True)
class Bundle:
    """A model zip and its config."""

    zip_path: Path
    config: ModelConfig

    @property
    def encodes(self) -> bool:
        """Whether it turns documents (and symmetric queries) into vectors, by a network."""
        return self.config.function_name == "SPARSE_ENCODING"

    @property
    def part(self) -> Part:
        """What it is for."""
        if not self.encodes:
            return "tokenizer"
        return "query_encoder" if self.zip_path.name == QUERY_ENCODER else "encoder"

    @cached_property
    def names(self) -> list[str]:
        """The files in the zip, folders left out."""
        with self._open() as archive:
            return [info.filename for info in archive.infolist() if not info.is_dir()]

    def read(self, name: str) -> bytes:
        """The bytes of one file in the zip."""
        with self._open() as archive:
            try:
                return archive.read(name)
            except KeyError as error:
                raise InputError(f"{self.zip_path}: found no {name!r} at its root, wanted one") from error
            except (zipfile.BadZipFile, OSError) as error:
                raise InputError(f"{self.zip_path}: {name!r} cannot be read: {error}") from error

    @cached_property
    def tokenizer(self) -> ServerTokenizer:
        """The tokenizer in the zip."""
        return ServerTokenizer(self.read("tokenizer.json"), f"{self.zip_path}/tokenizer.json")

    @cached_property
    def idf(self) -> dict[str, float]:
        """The query weights in the zip of a SPARSE_TOKENIZE model."""
        try:
            return msgspec.json.decode(self.read("idf.json"), type=dict[str, float])
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise InputError(f"{self.zip_path}/idf.json: found {error}, wanted an object of token: weight") from error

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.zip_path)
        except FileNotFoundError as error:
            raise InputError(
                f"{self.zip_path}: no such file, though its config is there: export the model again"
            ) from error
        except (zipfile.BadZipFile, OSError) as error:
            raise InputError(
                f"{self.zip_path}: found no readable zip ({error}), wanted one: export the model again"
            ) from error


def read_bundles(folder: Path) -> list[Bundle]:
    """The models of an export folder by their `*.config.json`, in order of name; InputError where there is none."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder: wanted what `sparse-encoder export` wrote")
    configs = sorted(folder.glob("*.config.json"))
    if not configs:
        raise InputError(f"{folder}: found no *.config.json, wanted what `sparse-encoder export` wrote")
    return [
        Bundle(path.with_name(path.name.removesuffix(".config.json") + ".zip"), read_json(path, ModelConfig))
        for path in configs
    ]


def the_bundle(bundles: Sequence[Bundle], part: Part, folder: Path) -> Bundle:
    """The one model that is for that; InputError where there is none or more than one."""
    found = [b for b in bundles if b.part == part]
    if len(found) != 1:
        names = ", ".join(b.zip_path.name for b in found) or "none"
        raise InputError(f"{folder}: found {names} for {SOUGHT[part]}, wanted exactly one")
    return found[0]


SOUGHT: dict[Part, str] = {
    "encoder": "documents (SPARSE_ENCODING)",
    "query_encoder": f"queries alone ({QUERY_ENCODER})",
    "tokenizer": "query tokens (SPARSE_TOKENIZE)",
}
