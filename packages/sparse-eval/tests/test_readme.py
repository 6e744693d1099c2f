"""The README's example runs."""

import doctest
from pathlib import Path


def test_the_example_prints_what_the_readme_says() -> None:
    readme = Path(__file__).parents[1] / "README.md"
    assert doctest.testfile(str(readme), module_relative=False).attempted > 0
    assert doctest.testfile(str(readme), module_relative=False).failed == 0
