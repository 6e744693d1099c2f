import re
import shutil
from pathlib import Path

import pytest
from sparse_encoder.recipe import read_recipe

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def block(language: str, number: int = 0) -> str:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", README, re.S)
    return found[number]


def test_the_example_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = block("python")
    exec(compile(code, "README.md", "exec"), {})
    wanted = [line[2:] for line in code.splitlines() if line.startswith("# ")]
    assert capsys.readouterr().out.splitlines() == wanted
    assert (tmp_path / "tokenizer" / "tokenizer.json").is_file()


def test_the_recipe_is_valid(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(block("yaml"), encoding="utf-8")
    assert read_recipe(tmp_path / "recipe.yaml").model.lexical_channel


@pytest.fixture
def training_data(data: Path, tokenizer_folder: Path, tmp_path: Path) -> Path:
    """A folder that holds what the example of training names."""
    for name in ("train.jsonl", "idf.json"):
        (tmp_path / name).write_bytes((data / name).read_bytes())
    shutil.copytree(tokenizer_folder, tmp_path / "tokenizer")
    return tmp_path


def test_training_from_python_prints_what_it_says(
    training_data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(training_data)
    code = block("python", 1)
    exec(compile(code, "README.md", "exec"), {})
    wanted = [line[2:] for line in code.splitlines() if line.startswith("# ")]
    assert capsys.readouterr().out.splitlines() == wanted
    assert (training_data / "model" / "modules.json").is_file()
