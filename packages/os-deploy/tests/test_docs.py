"""What the guides show can be used as it stands."""

import re
from pathlib import Path

import yaml
from os_deploy.recipe import Encode, Gate, Ingest, Recipe, Seismic, TwoPhase
from os_deploy.server import artifacts

DOCS = Path(__file__).parents[1] / "docs"


def test_the_compose_file_is_of_the_tested_version_and_on_loopback_only() -> None:
    services = yaml.safe_load((DOCS / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert {s["image"].rpartition(":")[2] for s in services.values()} == {artifacts.VERSION}
    assert all(port.startswith("127.0.0.1:") for s in services.values() for port in s["ports"])
    settings = services["opensearch"]["environment"]
    assert all(isinstance(value, str) for value in settings.values())
    assert settings["discovery.type"] == "single-node"
    assert services["dashboards"]["depends_on"] == ["opensearch"]


def test_every_key_of_a_recipe_is_in_its_table() -> None:
    table = (DOCS / "recipe.md").read_text(encoding="utf-8")
    sections = {"seismic": Seismic, "two_phase": TwoPhase, "encode": Encode, "ingest": Ingest, "gate": Gate}
    top = [field for field in Recipe.__struct_fields__ if field not in sections]
    wanted = top + [field for section in sections.values() for field in section.__struct_fields__]
    assert [field for field in wanted if not re.search(rf"`(\w*\.)?{field}`", table)] == []


def test_every_fault_of_the_page_names_a_test_that_is_there() -> None:
    page = (DOCS / "faults.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+)`", page)
    there = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert len(named) >= 15
    assert [name for name in named if f"def {name}(" not in there] == []
