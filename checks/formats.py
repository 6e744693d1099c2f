"""Every format has a page, a valid schema and golden samples that satisfy it, and packages write no other.

`python checks/formats.py`; what is checked of a page is listed in docs/formats/README.md.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from told import told
from workspace import ROOT, finish, packages

FORMATS = ROOT / "docs" / "formats"
HEADER = re.compile(r"^Version (?P<version>\d+) · .+$", re.MULTILINE)
LINK = re.compile(r"\]\((?P<target>(?:schemas|golden)/[^)]+)\)")
EXAMPLE = re.compile(r"^```\w*\n(?P<lines>.*?)^```$", re.MULTILINE | re.DOTALL)
LINES = {".jsonl", ".tsv", ".trec", ".txt"}
"""Suffixes of files that are described by the line."""
TEXT = LINES | {".json"}
FOR_PEOPLE = {"plots", "png", "report"}
"""What is made for eyes alone: no program reads it, so it has no page."""

Schema = Mapping[str, object]


@dataclass(frozen=True)
class Page:
    """A page of docs/formats: one format with its schemas and golden samples."""

    path: Path

    @property
    def name(self) -> str:
        """The format's name."""
        return self.path.stem

    @cached_property
    def text(self) -> str:
        """The page as it is written."""
        return self.path.read_text(encoding="utf-8")

    @property
    def version(self) -> int | None:
        """The newest version, which the page is about; None where it does not say."""
        found = HEADER.search(self.text)
        return int(found["version"]) if found else None

    def linked(self, folder: str) -> list[Path]:
        """The files of `schemas` or `golden` that the page links to, each once."""
        targets = (m["target"] for m in LINK.finditer(self.text))
        return [self.path.parent / t for t in dict.fromkeys(targets) if t.startswith(f"{folder}/")]

    def schema_of(self, sample: Path) -> Path:
        """The schema of a golden sample: `<sample name>.schema.json` where the page has one, else its first."""
        schemas = self.linked("schemas")
        return next((s for s in schemas if s.name == f"{sample.name}.schema.json"), schemas[0])


def records(sample: Path) -> Iterator[tuple[str, object]]:
    """Yields what a schema describes, each with its place: a line, or a whole file or folder told as JSON."""
    if sample.suffix in LINES:
        for number, line in enumerate(sample.read_text(encoding="utf-8").splitlines(), start=1):
            yield f"{sample.name}:{number}", json.loads(line) if sample.suffix == ".jsonl" else line
    else:
        yield sample.name, told(sample)


def field_names(schema: object) -> Iterator[str]:
    """Yields the name of every property of a schema, at any depth but in files that are named by a pattern.

    >>> list(field_names({"properties": {"a": {"items": {"properties": {"b": {}}}}}}))
    ['a', 'b']
    """
    if isinstance(schema, list):
        for item in schema:
            yield from field_names(item)
    elif isinstance(schema, dict):
        yield from schema.get("properties", {})
        for key, value in schema.items():
            if key == "patternProperties":
                continue
            inner = list(value.values()) if key == "properties" else value
            yield from field_names(inner)


def page_problems(page: Page) -> Iterator[str]:
    """Yields what a page lacks: its title, version, links, fields or an example out of its golden samples."""
    where = page.path.name
    if not page.text.startswith(f"# {page.name}\n"):
        yield f"{where}: the title is not '# {page.name}'"
    if page.version is None:
        yield f"{where}: no line 'Version N · ...'"
    for folder in ("schemas", "golden"):
        if not page.linked(folder):
            yield f"{where}: links to nothing in {folder}/"
        yield from (f"{where}: {p.name} does not exist" for p in page.linked(folder) if not p.exists())
    for schema in filter(Path.is_file, page.linked("schemas")):
        names = sorted(n for n in set(field_names(read_schema(schema))) if not re.search(rf"[`.]{n}\b", page.text))
        yield from (f"{where}: says nothing of the field `{name}`" for name in names)
    golden = {line.strip() for sample in sample_files(page) for line in text_lines(sample)}
    for example in EXAMPLE.finditer(page.text):
        strange = [line for line in example["lines"].splitlines() if line.strip() not in golden | {"", "…"}]
        yield from (f"{where}: the example line is in no golden sample: {line[:80]}" for line in strange)


def text_lines(sample: Path) -> list[str]:
    """The lines of a golden sample or of the texts in its folder; of a binary file none."""
    files = [p for p in sorted(sample.rglob("*")) if p.is_file()] if sample.is_dir() else [sample]
    return [line for f in files if f.suffix in TEXT for line in f.read_text(encoding="utf-8").splitlines()]


def sample_files(page: Page) -> list[Path]:
    """The golden samples of a page that are there."""
    return [path for path in page.linked("golden") if path.exists()]


def read_schema(path: Path) -> Schema:
    """Reads a schema file."""
    return cast(Schema, json.loads(path.read_text(encoding="utf-8")))


def schema_problems(path: Path, page: Page) -> Iterator[str]:
    """Yields what is wrong with a schema: its own grammar, its identity or its version."""
    schema = read_schema(path)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        yield f"{path.name}: {error.json_path}: {error.message}"
    wanted = f"urn:ko-sparse:{path.name.removesuffix('.schema.json')}:{page.version}"
    if schema.get("$id") != wanted:
        yield f"{path.name}: '$id' is {schema.get('$id')!r}, wanted {wanted!r}"


def sample_problems(sample: Path, schema: Path) -> Iterator[str]:
    """Yields what a golden sample breaks: its schema, or that texts are NFC and end with a line end."""
    if sample.suffix in TEXT:
        text = sample.read_text(encoding="utf-8")
        if not unicodedata.is_normalized("NFC", text) or not text.endswith("\n") or "\r" in text:
            yield f"{sample.name}: is not NFC with a line end after every line"
    validator = Draft202012Validator(read_schema(schema))
    n_records = 0
    for place, record in records(sample):
        n_records += 1
        for error in validator.iter_errors(record):
            yield f"{place}: {error.json_path}: {error.message}"
    if n_records == 0:
        yield f"{sample.name}: is empty"


def orphans(pages: list[Page]) -> Iterator[str]:
    """Yields pages that the index leaves out, and schemas and golden samples that no page, or more than one, links."""
    index = (FORMATS / "README.md").read_text(encoding="utf-8")
    yield from (f"README.md: does not list {p.path.name}" for p in pages if f"({p.path.name})" not in index)
    for folder in ("schemas", "golden"):
        for file in sorted(p for p in (FORMATS / folder).rglob("*") if p.is_file()):
            n_pages = sum(bool({file, *file.parents} & set(page.linked(folder))) for page in pages)
            if n_pages != 1:
                yield f"{file.relative_to(FORMATS)}: {n_pages} pages link to it, wanted one"


def written_without_page(pages: list[Page]) -> Iterator[str]:
    """Yields each format that a package writes, by its manifests, without a page or without saying so."""
    known = {page.name for page in pages}
    for package in packages():
        for name, where in package.formats_written():
            if name in FOR_PEOPLE:
                continue
            if name not in known:
                yield f"{package.name}/{where}: writes format {name!r}, which has no page in docs/formats"
            elif name not in package.formats:
                yield f"{package.name}/{where}: writes format {name!r}, which its [tool.ko-sparse] formats lacks"


def problems(pages: list[Page]) -> Iterator[str]:
    """Yields everything that is wrong."""
    yield from orphans(pages)
    yield from written_without_page(pages)
    for page in pages:
        yield from page_problems(page)
        for schema in filter(Path.is_file, page.linked("schemas")):
            yield from schema_problems(schema, page)
        for sample in sample_files(page) if page.linked("schemas") else []:
            yield from sample_problems(sample, page.schema_of(sample))


if __name__ == "__main__":
    all_pages = [Page(path) for path in sorted(FORMATS.glob("*.md")) if path.name != "README.md"]
    finish(problems(all_pages), well=f"{len(all_pages)} formats: pages, schemas and golden samples agree")
