from pathlib import Path

import pytest
from pretrain.errors import PipelineError
from pretrain.recipe import read_recipe
from pretrain.runs import DEFAULT_RECIPE


def write(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_unknown_key_is_named_with_the_nearest_valid_one(tmp_path: Path) -> None:
    recipe = write(tmp_path, "train: {learning_rat: 0.1}\n")
    with pytest.raises(
        PipelineError, match=r"own\.yaml: unknown key 'train\.learning_rat'; did you mean 'learning_rate'\?"
    ):
        read_recipe(recipe)


def test_a_recipe_changes_the_settings_it_names_and_keeps_the_others(tmp_path: Path) -> None:
    recipe = read_recipe(write(tmp_path, "seed: 7\ntrain: {steps: 12}\n"))
    assert recipe.settings["seed"] == 7
    train = recipe.settings["train"]
    assert isinstance(train, dict)
    assert (train["steps"], train["batch"]) == (12, 32)


def test_a_stage_set_to_null_is_dropped(tmp_path: Path) -> None:
    names = [s.name for s in read_recipe(write(tmp_path, "stages: {trends: null}\n")).stages]
    assert "trends" not in names
    assert "load" in names


def test_a_new_stage_stands_after_the_one_it_names(tmp_path: Path) -> None:
    text = "stages: {extra: {after: chunk, run: ko-corpus x, needs: [base_model/passages], makes: [x.json]}}\n"
    names = [s.name for s in read_recipe(write(tmp_path, text)).stages]
    assert names[names.index("chunk") + 1] == "extra"


def test_two_stages_that_make_the_same_file_are_refused(tmp_path: Path) -> None:
    text = "stages: {extra: {run: ko-corpus x, makes: [base_model/idf.json]}}\n"
    with pytest.raises(PipelineError, match=r"stages 'idf' and 'extra' both make base_model/idf\.json"):
        read_recipe(write(tmp_path, text))


def test_a_reference_to_no_setting_is_named(tmp_path: Path) -> None:
    text = "stages: {extra: {run: 'ko-corpus ${sed}', makes: [x.json]}}\n"
    with pytest.raises(PipelineError, match=r"'\$\{sed\}' refers to no setting; did you mean 'seed'\?"):
        read_recipe(write(tmp_path, text))


def test_every_stage_of_the_shipped_recipe_calls_a_command_line_and_makes_something() -> None:
    for stage in read_recipe(DEFAULT_RECIPE).stages:
        assert stage.commands, stage.name
        assert stage.makes, stage.name
        assert stage.about, stage.name


def test_a_recipe_that_does_not_exist_names_those_that_ship(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"no such recipe; shipped with this project: .*mini"):
        read_recipe(tmp_path / "none.yaml")


def test_a_model_to_start_from_brings_its_tokenizer_and_fewer_gentler_steps(tmp_path: Path) -> None:
    scratch = read_recipe(write(tmp_path, ""))
    started = read_recipe(write(tmp_path, "model: {start_from: small}\n"))
    assert scratch.stage("tokenizer").commands[0].startswith("sparse-encoder tokenizer build")
    assert started.stage("tokenizer").commands[0].startswith("sparse-encoder tokenizer take")
    assert "--prior base_model/start_idf.json --prior-passages 1000" in started.stage("idf").commands[0]
    for name in ("v1", "v2"):
        before, after = scratch.stage(name).config, started.stage(name).config
        assert before is not None
        assert after is not None
        assert int(str(after["steps"])) < int(str(before["steps"]))
        assert float(str(after["learning_rate"])) < float(str(before["learning_rate"]))
        assert started.stage("tokenizer").needs[0] in started.stage(name).needs


def test_a_recipe_s_own_settings_win_over_those_of_a_model_to_start_from(tmp_path: Path) -> None:
    recipe = read_recipe(write(tmp_path, "model: {start_from: small}\ntrain: {steps: 7}\nprior_passages: 0\n"))
    config = recipe.stage("v1").config
    assert config is not None
    assert config["steps"] == 7
    assert "--idf" not in recipe.stage("tokenizer").commands[0]
    assert "--prior" not in recipe.stage("idf").commands[0]


def test_the_recipe_from_scratch_starts_from_nothing() -> None:
    recipe = read_recipe(DEFAULT_RECIPE.with_name("scratch.yaml"))
    assert recipe.stage("tokenizer").commands[0].startswith("sparse-encoder tokenizer build")


def test_a_number_that_yaml_takes_for_text_is_named(tmp_path: Path) -> None:
    wanted = r"'train\.learning_rate' is '3e-3', wanted such as 0\.003 \(YAML takes 3e-3 for text: write 3\.0e-3\)"
    with pytest.raises(PipelineError, match=wanted):
        read_recipe(write(tmp_path, "train: {learning_rate: 3e-3}\n"))


def test_a_recipe_without_documents_says_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"own\.yaml: 'documents' is not given; wanted files or folders"):
        read_recipe(write(tmp_path, "seed: 7\n")).refuse_missing()


def test_every_shipped_recipe_is_read_with_its_stages_in_an_order_that_runs() -> None:
    recipes = {path.stem: read_recipe(path) for path in DEFAULT_RECIPE.parent.glob("*.yaml")}
    assert sorted(recipes) == ["base", "mini", "scratch", "techdocs"]
    assert [stage.name for stage in recipes["techdocs"].stages] == [
        "load",
        "chunk",
        "sections",
        "answers",
        "asking",
        "translations",
        "tokenizer",
        "token_morphemes",
        "idf",
        "token_vectors",
        "mine",
        "v1",
        "encode",
        "search",
        "compare",
        "export",
        "small",
        "deployment",
    ]
