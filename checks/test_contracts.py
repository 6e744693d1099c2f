"""Tests of the vendoring check on a small workspace of its own, in git."""

import subprocess
from pathlib import Path

import pytest
from contracts import AmbiguousError, schema_problems, vendored_problems, write_schemas, write_vendored
from workspace import packages

NAMES = ("one", "two", "three")


def git(root: Path, *command: str) -> None:
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *command], cwd=root, check=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in NAMES:
        source = tmp_path / "packages" / name / "src" / name
        source.mkdir(parents=True)
        (source / "_files.py").write_text("old\n")
        (tmp_path / "packages" / name / "pyproject.toml").write_text('[tool.ko-sparse]\nformats = ["pairs"]\n')
    schemas = tmp_path / "docs" / "formats" / "schemas"
    schemas.mkdir(parents=True)
    (schemas / "pairs.schema.json").write_text("{}\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "start")
    return tmp_path


def vendored(root: Path, name: str) -> Path:
    return root / "packages" / name / "src" / name / "_files.py"


def test_identical_copies_are_no_problem(root: Path) -> None:
    assert list(vendored_problems(packages(root))) == []


def test_copies_that_differ_are_told_by_package(root: Path) -> None:
    vendored(root, "two").write_text("new\n")
    assert list(vendored_problems(packages(root))) == [
        "_files.py: copies differ: one, three | two; carry one to the others: nox -s contracts -- --write"
    ]


def test_a_missing_copy_is_told(root: Path) -> None:
    vendored(root, "two").unlink()
    assert list(vendored_problems(packages(root))) == ["_files.py: is missing in two"]


def test_the_one_changed_copy_is_carried_to_the_others(root: Path) -> None:
    vendored(root, "two").write_text("new\n")
    assert len(list(write_vendored(packages(root), root, None))) == 2
    assert [vendored(root, name).read_text() for name in NAMES] == ["new\n"] * 3


def test_a_file_outside_the_source_is_carried_to_those_that_hold_it(root: Path) -> None:
    held = [root / "packages" / name / "benchmarks" / "figures.py" for name in ("one", "two")]
    for path in held:
        path.parent.mkdir()
        path.write_text("old\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "benchmarks")
    held[1].write_text("new\n")
    (problem,) = vendored_problems(packages(root))
    assert problem.startswith("benchmarks/figures.py: copies differ: one | two")
    assert list(write_vendored(packages(root), root, None)) == ["packages/one/benchmarks/figures.py"]


def test_two_different_changes_are_refused_and_nothing_is_written(root: Path) -> None:
    vendored(root, "one").write_text("this\n")
    vendored(root, "two").write_text("that\n")
    with pytest.raises(AmbiguousError, match=r"changed in different ways \(one \| three \| two\)"):
        list(write_vendored(packages(root), root, None))
    assert vendored(root, "three").read_text() == "old\n"


def test_a_named_copy_is_carried_whatever_changed(root: Path) -> None:
    vendored(root, "one").write_text("this\n")
    vendored(root, "two").write_text("that\n")
    list(write_vendored(packages(root), root, "one"))
    assert [vendored(root, name).read_text() for name in NAMES] == ["this\n"] * 3


def test_copies_that_were_committed_different_need_a_name(root: Path) -> None:
    vendored(root, "two").write_text("new\n")
    git(root, "commit", "-q", "-a", "-m", "drift")
    with pytest.raises(AmbiguousError, match="differ though none is changed"):
        list(write_vendored(packages(root), root, None))


def test_schemas_are_those_that_the_package_lists(root: Path) -> None:
    one = packages(root)[0]
    assert list(schema_problems(one, root)) == [
        "one: schemas/pairs.schema.json is missing: nox -s contracts -- --write"
    ]
    stale = one.source / "schemas" / "groups.schema.json"
    stale.parent.mkdir()
    stale.write_text("{}\n")
    list(write_schemas(one, root))
    assert list(schema_problems(one, root)) == []
    assert not stale.exists()


def test_a_misspelt_format_is_named_with_the_nearest(root: Path) -> None:
    one = packages(root)[0]
    (one.folder / "pyproject.toml").write_text('[tool.ko-sparse]\nformats = ["pair"]\n')
    assert list(schema_problems(one, root)) == ["one: [tool.ko-sparse] lists 'pair', no format; 'pairs'?"]
