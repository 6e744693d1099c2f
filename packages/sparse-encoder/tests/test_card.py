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
