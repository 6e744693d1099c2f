"""Term pairs: what is read of them, and that a step's pairs are of one file."""

import json
import random
from pathlib import Path

import msgspec
import pytest
from sparse_encoder._files import InputError
from sparse_encoder.objective import _draw_pairs
from sparse_encoder.recipe import Alignment, Losses, Recipe
from sparse_encoder.term_pairs import Terms, joined, read_terms
from sparse_encoder.vocabulary import Vocabulary


def terms(n: int) -> Terms:
    return Terms(korean=[[i] for i in range(n)], english=[[i] for i in range(n)], weights=[1.0] * n, files=[range(n)])


def test_joined_files_know_which_pairs_are_whose() -> None:
    found = joined([terms(2), terms(3)])
    assert found.files == [range(2), range(2, 5)]
    assert found.korean == [[0], [1], [0], [1], [2]]


def test_a_step_draws_its_pairs_from_one_file_and_every_file_has_its_turn() -> None:
    recipe = Recipe(train=[], losses=Losses(alignment=Alignment(pairs=4)))
    both = joined([terms(50), terms(3)])
    drawn = [sorted(_draw_pairs(both, recipe, random.Random(seed))) for seed in range(20)]
    assert {len(pairs) for pairs in drawn} == {4, 3}
    assert all(pairs == [50, 51, 52] or max(pairs) < 50 for pairs in drawn)


def test_one_file_alone_is_drawn_from_as_it_ever_was() -> None:
    recipe = Recipe(train=[], losses=Losses(alignment=Alignment(pairs=4)))
    assert _draw_pairs(terms(50), recipe, random.Random(1)) == random.Random(1).sample(range(50), 4)


def test_no_pairs_are_drawn_for_an_alignment_of_no_weight() -> None:
    recipe = Recipe(train=[], losses=Losses(alignment=Alignment(weight=0.0)))
    assert _draw_pairs(terms(50), recipe, random.Random(1)) == []
    assert _draw_pairs(None, msgspec.structs.replace(recipe, losses=Losses()), random.Random(1)) == []


def test_a_file_of_which_no_pair_is_left_is_refused(vocabulary: Vocabulary, tmp_path: Path) -> None:
    pairs = [{"ko": "검색", "en": "\U0001f600"}, {"ko": "\U0001f600", "en": "sparse"}]
    file = tmp_path / "terms.jsonl"
    file.write_text("".join(json.dumps(p, ensure_ascii=False) + "\n" for p in pairs), encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_terms(file, vocabulary)
    assert str(error.value) == (
        f"{file}: none of its 2 pairs has a weight above 0 and a token of the tokenizer on both sides; "
        f"is it the model's tokenizer?"
    )
