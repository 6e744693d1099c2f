from pathlib import Path

import pytest
from sparse_encoder._files import InputError
from sparse_encoder.recipe import Groups, read_recipe


def written(folder: Path, text: str) -> Path:
    (folder / "recipe.yaml").write_text(text, encoding="utf-8")
    return folder / "recipe.yaml"


def test_paths_are_relative_to_the_recipe(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, "train: [a.jsonl, {path: /b.jsonl, weight: 2}]\nmodel: {idf: idf.json}"))
    assert recipe.train == [Groups(path=f"{tmp_path}/a.jsonl"), Groups(path="/b.jsonl", weight=2.0)]
    assert recipe.model.idf == f"{tmp_path}/idf.json"
    assert recipe.validation == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: [a]\nstep: 3", "unknown key 'step'; did you mean 'steps'?"),
        ("train: [a]\nlosses: {flop: {weight: 1}}", "unknown key 'losses.flop'; did you mean 'losses.flops'?"),
        ("train: [a]\nlosses: {flops: {wieght: 1}}", "unknown key 'losses.flops.wieght'; did you mean"),
        ("train: [{path: a, wight: 1}]", "unknown key 'train.wight'; did you mean 'train.weight'?"),
        ("train: [a]\nsteps: many", "Expected `int`, got `str` - at `steps`"),
        ("train: [a]\nlearning_rate: -1", "at `learning_rate`"),
        ("train: []", "'train' is empty"),
        ("[1, 2]", "holds list; wanted a mapping"),
        ("a: [", "is not YAML"),
    ],
)
def test_a_wrong_recipe_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_recipe(written(tmp_path, text))
    assert message in str(error.value)
    assert "recipe.yaml" in str(error.value)
