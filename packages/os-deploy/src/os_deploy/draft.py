"""A first `deploy.yaml` for an export: what can be known from the files, and the other choices as comments.

It is the user's from then on, so no manifest vouches for it and nothing here writes over one that is there.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from os_deploy._files import InputError
from os_deploy.bundles import Bundle, read_bundles
from os_deploy.passages import corpus_file
from os_deploy.recipe import check_name
from os_deploy.vectors import titles_encoded

HEAD = """\
# Puts a model and its passages into OpenSearch and proves that they serve:
#
#   os-deploy server start              # or OPENSEARCH_URL=https://... for a cluster that is there
#   os-deploy deploy {file}
#   os-deploy search "{example}" --explain
#
# Written by `os-deploy init`; paths are relative to this file. The training pipeline writes its own anew whenever the
# model changes: to change something, copy it beside itself and deploy the copy.
"""

TAIL = """\
replicas: 0  # 1 where the cluster has several nodes
# url: https://search.example:9200  # default: OPENSEARCH_URL, or http://127.0.0.1:9200; no passwords here
# synonyms: synonyms.txt            # Solr synonyms of keyword queries
# ingest: {workers: 4}              # default: 2 send at once
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Judged queries on which later versions are compared with the one that serves."""

    queries: Path
    qrels: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a recipe is drafted of."""

    export: Path
    passages: Path
    vectors: Path | None
    name: str
    """Of the deployment, as `index_alias` makes it."""
    gate: Gate | None = None

    def text(self, path: Path) -> str:
        """The recipe as it is written to `path`; InputError where one of its files is missing."""
        bundles = read_bundles(self.export)
        self._check_files()
        check_name(self.name)
        lines = [*self._lines(bundles, path.parent), *self._gate_lines(path.parent)]
        return HEAD.format(file=path.name, example="검색할 말") + "\n" + "\n".join(lines) + "\n" + TAIL

    def _check_files(self) -> None:
        files = [corpus_file(self.passages), self.vectors, *([self.gate.queries, self.gate.qrels] if self.gate else [])]
        for file in files:
            if file is not None and not file.is_file():
                raise InputError(f"{file}: no such file, wanted what the recipe is to name")

    def _lines(self, bundles: Sequence[Bundle], here: Path) -> Iterator[str]:
        yield _line("name", self.name, f"the alias that serves; its indices are {self.name}-v1, {self.name}-v2, ...")
        yield _line("export", _relative(self.export, here))
        yield _line("passages", _relative(self.passages, here))
        if self.vectors is not None:
            yield _line("vectors", _relative(self.vectors, here), "without them the server encodes, a text at a time")
            yield _line("title", titles_encoded(self.vectors) or False, "whether vectors are of title and text")
        else:
            yield "# vectors: vectors.parquet  # `sparse-encoder encode` makes them; the server needs far longer"
            yield _line("title", False, "true where the model was trained on title and text")
        if any(b.part == "tokenizer" for b in bundles):
            yield _line("query", "tokenizer", "the server weighs queries; tokens: the client does, without a model")
        else:
            yield _line("query", "encoder", "this model encodes its queries, so a network runs for each")
        yield _line("field", "rank_features", "exact; sparse_vector is SEISMIC, for millions of passages")

    def _gate_lines(self, here: Path) -> Iterator[str]:
        if self.gate is None:
            yield "# gate: {queries: queries.jsonl, qrels: qrels/test.tsv}  # no version that finds less will serve"
            return
        yield "gate:  # a later version serves only if it does not find less on these"
        yield "  " + _line("queries", _relative(self.gate.queries, here))
        yield "  " + _line("qrels", _relative(self.gate.qrels, here))
        yield "  " + _line("max_loss", 0.005, "in nDCG@10")


def index_alias(text: str) -> str:
    """A name that OpenSearch takes, as near to `text` as can be.

    >>> index_alias("My Docs: 2026"), index_alias("_mini"), index_alias("문서"), index_alias("...")
    ('my-docs-2026', 'mini', '문서', 'docs')
    """
    plain = re.sub(r"""[\\/*?"<>|\s,#:]+""", "-", text.lower()).lstrip("-_+.").rstrip("-")
    while len(plain.encode()) > 200:
        plain = plain[:-1]
    return plain or "docs"


def _relative(path: Path, here: Path) -> str:
    return Path(os.path.relpath(path.resolve(), here.resolve())).as_posix()


def _line(key: str, value: object, comment: str = "") -> str:
    shown = yaml.safe_dump(value, allow_unicode=True, width=10_000).splitlines()[0]
    return f"{key}: {shown}" + (f"  # {comment}" if comment else "")
