"""A BM25 index on disk: arrays that are memory-mapped, and JSON that says what they were made with.

An index is only good for the analyser, the settings and the passages that it was made of; any other is refused.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from sparse_mining._files import InputError, check_version, read_json, whole, write_json
from sparse_mining._kiwi import Analysis
from sparse_mining.arrays import load_array
from sparse_mining.bm25 import BM25
from sparse_mining.passages import Collection
from sparse_mining.postings import Postings
from sparse_mining.settings import Settings

ARRAYS = ("starts", "docs", "impacts", "bounds", "floors", "absent")


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """`index.json`."""

    format: str = "bm25_index"
    version: int = 1
    analysis: Analysis
    settings: Settings
    n_documents: int
    n_terms: int
    n_postings: int
    all_positive: bool


def save(index: BM25, folder: Path, *, analysis: Analysis, doc_ids: Sequence[str]) -> None:
    """Writes the folder, whole or not at all."""
    postings = index.postings
    with whole(folder) as part:
        part.mkdir()
        for name in ARRAYS[:-1]:
            np.save(part / f"{name}.npy", getattr(postings, name))
        np.save(part / "absent.npy", index.absent)
        write_json(part / "terms.json", list(index.vocabulary))
        write_json(part / "document_ids.json", doc_ids)
        header = Header(
            analysis=analysis,
            settings=index.settings,
            n_documents=postings.n_docs,
            n_terms=postings.n_terms,
            n_postings=len(postings.docs),
            all_positive=postings.all_positive,
        )
        write_json(part / "index.json", header)


def load(folder: Path, collection: Collection, *, analysis: Analysis, settings: Settings) -> BM25:
    """Maps the arrays into memory; InputError where analyser, settings or passages are not those it was made with."""
    header = read_json(folder / "index.json", Header)
    check_version(folder / "index.json", header.format, header.version)
    _refuse_other(folder, "analyser", header.analysis, analysis)
    _refuse_other(folder, "settings", header.settings, settings)
    if read_json(folder / "document_ids.json", list[str]) != collection.ids():
        raise InputError(f"{folder}: was made of other passages than {collection.path}: index these")
    arrays = {name: np.asarray(load_array(folder / f"{name}.npy")) for name in ARRAYS}
    terms = read_json(folder / "terms.json", list[str])
    sizes = (len(arrays["starts"]) - 1, len(arrays["docs"]), len(arrays["impacts"]), len(terms))
    if sizes != (header.n_terms, header.n_postings, header.n_postings, header.n_terms):
        raise InputError(f"{folder}: its arrays are not of the sizes that index.json states: index the passages again")
    postings = Postings(
        starts=arrays["starts"].astype(np.int64, copy=False),
        docs=arrays["docs"].astype(np.int32, copy=False),
        impacts=arrays["impacts"],
        bounds=arrays["bounds"],
        floors=arrays["floors"],
        n_docs=header.n_documents,
        all_positive=header.all_positive,
    )
    return BM25(header.settings, {term: i for i, term in enumerate(terms)}, postings, arrays["absent"])


def _refuse_other(folder: Path, what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise InputError(f"{folder}: index of another {what}: made with {found}, asked for {wanted}: index again")
