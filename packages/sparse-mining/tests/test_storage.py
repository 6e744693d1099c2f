"""Tests of `storage`."""

from pathlib import Path

import pytest
from sparse_mining import storage
from sparse_mining._files import InputError
from sparse_mining.analysers import analyser
from sparse_mining.bm25 import BM25, build
from sparse_mining.passages import Collection, read_collection
from sparse_mining.settings import Settings


@pytest.fixture
def collection(passages: Path) -> Collection:
    return read_collection(passages)


@pytest.fixture
def folder(collection: Collection, tmp_path: Path) -> Path:
    words = analyser("words")
    index = build(words.terms(collection.full_texts()), Settings())
    storage.save(index, tmp_path / "index", analysis=words.identity(), doc_ids=collection.ids())
    return tmp_path / "index"


def load(folder: Path, collection: Collection, words: str = "words", settings: Settings | None = None) -> BM25:
    return storage.load(folder, collection, analysis=analyser(words).identity(), settings=settings or Settings())


def test_a_loaded_index_finds_the_same(folder: Path, collection: Collection) -> None:
    fresh = build(analyser("words").terms(collection.full_texts()), Settings())
    query = [["금리는", "물가를"]]
    found, wanted = load(folder, collection).search(query, 5)[0], fresh.search(query, 5)[0]
    assert (found.docs.tolist(), found.scores.tolist()) == (wanted.docs.tolist(), wanted.scores.tolist())


def test_another_analyser_is_refused(folder: Path, collection: Collection) -> None:
    with pytest.raises(InputError, match="index of another analyser"):
        load(folder, collection, "bigrams")


def test_split_and_whole_compounds_are_another_analyser(collection: Collection, tmp_path: Path) -> None:
    kiwi = analyser("kiwi")
    index = build(kiwi.terms(collection.full_texts()), Settings())
    storage.save(index, tmp_path / "kiwi", analysis=kiwi.identity(), doc_ids=collection.ids())
    with pytest.raises(InputError, match="index of another analyser"):
        load(tmp_path / "kiwi", collection, "kiwi+compounds")


def test_other_settings_are_refused(folder: Path, collection: Collection) -> None:
    with pytest.raises(InputError, match="index of another settings"):
        load(folder, collection, settings=Settings(k1=0.9))


def test_other_passages_are_refused(folder: Path, golden: Path) -> None:
    with pytest.raises(InputError, match="was made of other passages"):
        load(folder, read_collection(golden / "passages"))


def test_a_truncated_array_is_named(folder: Path, collection: Collection) -> None:
    file = folder / "docs.npy"
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(InputError, match=r"docs\.npy: is not a whole \.npy file"):
        load(folder, collection)


def test_the_arrays_are_mapped_and_eight_bytes_a_posting(folder: Path, collection: Collection) -> None:
    postings = load(folder, collection).postings
    assert not postings.docs.flags.owndata
    assert postings.docs.nbytes + postings.impacts.nbytes == 8 * len(postings.docs)
