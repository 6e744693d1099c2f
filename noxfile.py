"""The test command: `uv run nox` runs everything but `bench`; `uv run nox -l` says what there is.

A package is checked in an environment of its own that holds what its pyproject declares and nothing else, so that a
dependency it forgot fails here and not on a user's machine. `tests(ko-corpus)` and the like name one package.
"""

import os
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.error_on_external_run = True

ROOT = Path(__file__).parent
PACKAGES = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))
ENVIRONMENTS = ROOT / ".nox" / "env"
BIN = "Scripts" if os.name == "nt" else "bin"
NO_TESTS_FOUND = 5
"""pytest's exit code where it collected nothing."""

each_package = nox.parametrize("package", [nox.param(name, id=name) for name in PACKAGES])


@nox.session(venv_backend="none")
@each_package
def tests(session: nox.Session, package: str) -> None:
    """Tests and doctests of a package; what follows `--` goes to pytest."""
    env = environment(session, package)
    folder = ROOT / "packages" / package
    has_tests = any(folder.glob("tests/**/test_*.py"))
    codes = [0] if has_tests else [0, NO_TESTS_FOUND]
    with session.chdir(folder):
        session.run(tool(package, "pytest"), *session.posargs, env=env, external=True, success_codes=codes)
    if not has_tests:
        session.warn(f"{package} has no tests yet")


@nox.session(venv_backend="none")
@each_package
def types(session: nox.Session, package: str) -> None:
    """Types of a package: mypy --strict."""
    env = environment(session, package)
    with session.chdir(ROOT / "packages" / package):
        session.run(tool(package, "mypy"), "--strict", *session.posargs, env=env, external=True)


@nox.session(venv_backend="none")
@each_package
def deps(session: nox.Session, package: str) -> None:
    """Dependencies of a package: declared is used and used is declared (deptry)."""
    env = environment(session, package)
    with session.chdir(ROOT / "packages" / package):
        session.run(tool(package, "deptry"), "src", env=env, external=True)


@nox.session(venv_backend="none")
@each_package
def wheel(session: nox.Session, package: str) -> None:
    """Wheel of a package, installed alone outside the workspace: it imports, shows its help and ships its schemas."""
    with tempfile.TemporaryDirectory(prefix=f"{package}-") as name:
        folder = Path(name)
        env = clean_env(folder / "env")
        locked = ["export", "--quiet", "--frozen", "--package", package, "--no-dev", "--no-hashes"]
        versions = folder / "versions.txt"
        uv(session, *locked, "--no-emit-workspace", "--output-file", str(versions), env=env)
        uv(session, "build", "--quiet", "--wheel", "--package", package, "--out-dir", str(folder), env=env)
        built = next(folder.glob("*.whl"))
        uv(session, "venv", "--quiet", "--python", sys.executable, str(folder / "env"), env=env)
        python = folder / "env" / BIN / "python"
        install = ["pip", "install", "--quiet", "--python", str(python), "--constraints", str(versions), str(built)]
        uv(session, *install, env=env)
        script = shutil.which(package, path=str(python.parent)) or session.error(f"the wheel installs no `{package}`")
        isolated = [str(python), "-I"]
        with session.chdir(folder):
            shipped = [package.replace("-", "_"), *shipped_formats(package)]
            session.run(*isolated, str(ROOT / "checks" / "shipped.py"), *shipped, env=env, external=True)
            session.run(*isolated, script, "--help", env=env, external=True, silent=True)


@nox.session(venv_backend="none")
def contracts(session: nox.Session) -> None:
    """Packages import none of each other, vendored files and schemas are identical, git holds no machine path.

    `-- --write` carries a changed vendored file and the schemas to all packages, `-- --write --from PACKAGE` that
    package's.
    """
    in_root(session, "lint-imports")
    in_root(session, "python", "checks/contracts.py", *session.posargs)
    in_root(session, "python", "checks/paths.py")
    slow_to_import = "--ignore=checks/golden_model.py"
    in_root(session, "pytest", "--quiet", "--doctest-modules", "-W", "error", slow_to_import, "checks")


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Code style: ruff check and ruff format."""
    in_root(session, "ruff", "check", ".")
    in_root(session, "ruff", "format", "--check", ".")


@nox.session(venv_backend="none")
def formats(session: nox.Session) -> None:
    """Every format has a page, a valid schema and golden samples that satisfy it."""
    in_root(session, "python", "checks/formats.py")


@nox.session(venv_backend="none")
def apps(session: nox.Session) -> None:
    """Tests of the apps and of the sample corpus, with all packages side by side."""
    for place in ("apps/pretrain/tests", "datasets/sample/tests"):
        if any((ROOT / place).glob("**/test_*.py")):
            in_root(session, "pytest", place, *session.posargs)
        else:
            session.warn(f"{place}: no tests yet")


@nox.session(venv_backend="none", default=False)
@each_package
def bench(session: nox.Session, package: str) -> None:
    """Benchmarks of a package (bench_*.py), with its group `bench`; `-- --check` holds them to results.json."""
    scripts = sorted((ROOT / "packages" / package / "benchmarks").glob("bench_*.py"))
    if not scripts:
        session.skip(f"{package} has no benchmarks")
    group = ["--group", "bench"] if "bench" in pyproject(package).get("dependency-groups", {}) else []
    env = environment(session, package, *group)
    with session.chdir(ROOT / "packages" / package):
        for script in scripts:
            session.run(tool(package, "python"), str(script), *session.posargs, env=env, external=True)


@nox.session(venv_backend="none")
def llm(session: nox.Session) -> None:
    """vLLM and transformers for real, on CPU, with tiny models that the tests make: requirements-llm.txt, pinned.

    A minute and a half on two cores. The environment is 5.8 GB, half of it the CUDA libraries that PyPI's torch does
    not import without.
    """
    folder = ROOT / "packages" / "ko-synth-llm"
    env = clean_env(ENVIRONMENTS / "ko-synth-llm-llm")
    place = ENVIRONMENTS / "ko-synth-llm-llm"
    uv(session, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(place), env=env)
    python = place / BIN / "python"
    pinned = ["--no-deps", "--requirements", str(folder / "requirements-llm.txt"), "--editable", str(folder)]
    uv(session, "pip", "install", "--quiet", "--python", str(python), *pinned, env=env)
    env |= {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1"}
    tests = [f"tests/{name}" for name in ("test_vllm_engine.py", "test_transformers_model.py", "test_thinking.py")]
    with session.chdir(folder):
        session.run(str(python), "-m", "pytest", *(session.posargs or tests), env=env, external=True)


def environment(session: nox.Session, package: str, *options: str) -> dict[str, str | None]:
    """Syncs `.nox/env/<package>` to exactly what the package declares; returns the variables to run in it.

    tests, types and deps share it, since each makes it exact before it runs.
    """
    env = clean_env(ENVIRONMENTS / package)
    uv(session, "sync", "--quiet", "--frozen", "--exact", "--package", package, *options, env=env)
    return env


def tool(package: str, name: str) -> str:
    """A program of a package's environment, by its full path: nox looks names up on the workspace's own PATH."""
    return str(ENVIRONMENTS / package / BIN / name)


def clean_env(folder: Path) -> dict[str, str | None]:
    """Variables that put the environment in `folder` first, keep the workspace's own out, and keep hubs away."""
    own = Path(sys.prefix) / BIN
    paths = [path for path in os.environ.get("PATH", "").split(os.pathsep) if Path(path) != own]
    return {
        "PATH": os.pathsep.join([str(folder / BIN), *paths]),
        "UV_PROJECT_ENVIRONMENT": str(folder),
        "UV_PYTHON": sys.executable,
        "VIRTUAL_ENV": None,
        "PYTHONDONTWRITEBYTECODE": None,  # every process would compile all it imports, for seconds
        "PYTHONPATH": None,
        "HF_HUB_OFFLINE": "1",
    }


def uv(session: nox.Session, *command: str, env: dict[str, str | None]) -> None:
    """Runs uv where `--no-install` does not forbid it."""
    session.run_install("uv", *command, env=env, external=True)


def in_root(session: nox.Session, *command: str) -> None:
    """Runs a command in the workspace's own environment, which holds every package."""
    env = {"HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": None}
    session.run("uv", "run", "--quiet", "--frozen", *command, env=env, external=True)


def pyproject(package: str) -> dict[str, dict[str, dict[str, list[str]]]]:
    """A package's pyproject.toml."""
    return tomllib.loads((ROOT / "packages" / package / "pyproject.toml").read_text(encoding="utf-8"))


def shipped_formats(package: str) -> list[str]:
    """The formats whose schemas a package's wheel must hold."""
    return pyproject(package)["tool"].get("ko-sparse", {}).get("formats", [])
