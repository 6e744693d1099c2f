"""Tests of the package's public names."""

import subprocess
import sys

import sparse_mining


def test_every_public_name_is_there() -> None:
    assert [name for name in sparse_mining.__all__ if getattr(sparse_mining, name, None) is None] == []
    assert set(sparse_mining._MODULES) == set(sparse_mining.__all__)


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    assert not hasattr(sparse_mining, "pickle")


def test_importing_the_package_imports_nothing_of_it() -> None:
    script = (
        "import sys, sparse_mining; print([m for m in sys.modules if m.startswith('sparse_mining.') or m == 'numpy'])"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"
