import json
import shutil
from pathlib import Path

import pytest
import yaml
from sparse_encoder._files import InputError, sha256
from sparse_encoder.card import About, card, read_about, read_metrics
from sparse_encoder.cli import app
from typer.testing import CliRunner

ABOUT = """
name: ko-sparse-small
summary: 한국어 희소 검색 모델.
license: apache-2.0
data:
  - {name: Docs, license: CC BY 4.0, attribution: © the authors of Docs, url: "https://example.org/docs"}
limits: [Trained on technical text.]
"""


@pytest.fixture
def model(golden: Path, tmp_path: Path) -> Path:
    shutil.copytree(golden / "model", tmp_path / "m")
    return tmp_path / "m"


@pytest.fixture
def about(tmp_path: Path) -> About:
    (tmp_path / "about.yaml").write_text(ABOUT, encoding="utf-8")
    return read_about(tmp_path / "about.yaml")


def test_the_front_matter_is_the_hubs_metadata(golden: Path, model: Path, about: About) -> None:
    text = card(model, about, {"welfare": read_metrics(golden / "metrics.json")})
    fields = yaml.safe_load(text.split("---")[1])
    assert fields["license"] == "apache-2.0"
    assert fields["library_name"] == "sentence-transformers"
    assert "inference-free" in fields["tags"]
    (result,) = fields["model-index"][0]["results"]
    assert result["dataset"]["name"] == "welfare"
    assert result["metrics"][0] == {"type": "nDCG@10", "value": 1.0, "name": "nDCG@10 (all)"}


def test_figures_stand_with_their_intervals_and_data_with_its_licence(golden: Path, model: Path, about: About) -> None:
    text = card(model, about, {"welfare": read_metrics(golden / "metrics.json")})
    assert "| welfare | lang=ko | nDCG@10 | 1.000 | 1.000 to 1.000 | 1 |" in text
    assert "- [Docs](https://example.org/docs), CC BY 4.0: © the authors of Docs" in text
    assert "- Trained on technical text." in text
    assert "trust_remote_code" not in text


def test_a_folder_that_carries_code_says_so(model: Path, about: About) -> None:
    (model / "lexical_channel.py").write_text("")
    text = card(model, about, {})
    assert "SparseEncoder('ko-sparse-small', trust_remote_code=True)" in text
    assert "custom_code" in text
    assert "## Figures" not in text


def test_a_misspelt_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "about.yaml").write_text(ABOUT.replace("limits", "limit"), encoding="utf-8")
    with pytest.raises(InputError, match=r"about\.yaml: .*limit"):
        read_about(tmp_path / "about.yaml")


def test_the_manifest_beside_the_folder_knows_of_the_card(golden: Path, model: Path, about: About) -> None:
    manifest = json.loads((golden / "manifest.json").read_text(encoding="utf-8"))
    manifest["outputs"] = [{"path": "m", "format": "model", "version": 1, "sha256": "0" * 64, "n_records": None}]
    beside = model.with_name("m.manifest.json")
    beside.write_text(json.dumps(manifest), encoding="utf-8")
    command = ["card", model, "--about", model.parent / "about.yaml", "--metrics", f"a={golden / 'metrics.json'}"]
    assert CliRunner().invoke(app, [str(c) for c in command], catch_exceptions=False).exit_code == 0
    assert json.loads(beside.read_text(encoding="utf-8"))["outputs"][0]["sha256"] == sha256(model)
    text = (model / "README.md").read_text(encoding="utf-8")
    assert "`ko-corpus pairs passages -o pairs.jsonl --kinds title,heading` (version 0.1.0, seed 42)" in text


def test_a_shrunk_model_tells_of_its_training(golden: Path, model: Path, about: About, tmp_path: Path) -> None:
    manifest = json.loads((golden / "manifest.json").read_text(encoding="utf-8"))
    manifest["command"] = ["sparse-encoder", "train", "/somewhere/recipe.yaml", "-o", "m"]
    recipe = {"model": {"size": "small"}, "train": [{"path": "/somewhere/train.jsonl", "weight": 1.0}], "batch": 32}
    manifest["parameters"] = {"recipe": recipe | {"steps": 900}}
    model.with_name("m.manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    words = ["shrink", str(model), "-o", str(tmp_path / "small")]
    assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    made = json.loads((tmp_path / "small.manifest.json").read_text(encoding="utf-8"))["parameters"]["made_from"]
    assert made["command"] == ["sparse-encoder", "train", "recipe.yaml", "-o", "m"]
    assert (made["seed"], made["package_version"]) == (42, "0.1.0")
    assert made["inputs"] == manifest["inputs"]
    text = card(tmp_path / "small", about, {}).partition("## Made by")[2]
    assert "which was made by\n\n`sparse-encoder train recipe.yaml -o m` (version 0.1.0, seed 42)" in text
    assert "- `passages/corpus.jsonl` sha256 `ea9999a43dd17796" in text
    settings = yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])
    wanted = {"model": {"size": "small"}, "train": [{"path": "train.jsonl", "weight": 1.0}], "steps": 900}
    assert settings == wanted


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("config_sentence_transformers.json", None, "config_sentence_transformers.json: no such file"),
        ("document_0_Transformer/config.json", "{", "config.json: Input data was truncated"),
        ("document_0_Transformer/config.json", "{}", "config.json: 'model_type' is missing"),
        ("query_0_SparseStaticEmbedding/config.json", "[]", "config.json: Expected `object`, got `array`"),
    ],
)
def test_a_folder_that_lacks_something_is_told_by_file(
    model: Path, about: About, name: str, text: str | None, said: str
) -> None:
    (model / name).unlink()
    if text is not None:
        (model / name).write_text(text)
    with pytest.raises(InputError, match=said):
        card(model, about, {})


def test_a_manifest_without_outputs_leaves_the_card_as_it_was(model: Path, about: About) -> None:
    (model / "README.md").write_text("before")
    model.with_name("m.manifest.json").write_text("{}")
    words = ["card", str(model), "--about", str(model.parent / "about.yaml")]
    with pytest.raises(InputError, match=r"m\.manifest\.json: '\w+' is missing"):
        CliRunner().invoke(app, words, catch_exceptions=False)
    assert (model / "README.md").read_text() == "before"
