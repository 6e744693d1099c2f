import re
from pathlib import Path

import pytest
from sparse_encoder.recipe import read_recipe

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.S)
    assert found
    return found.group(1)


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
