"""DVC's repository of all runs, opened for one of them; `check_out` brings back what it has in its cache.

The one place that opens DVC, so that every command says the same when another run holds it.
"""

from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.lock import LockError
from dvc.repo import Repo

from pretrain.errors import PipelineError


@contextmanager
def opened(run: Path) -> Iterator[Repo]:
    """The repository, with its folder as the current one: DVC refuses to run from outside."""
    try:
        with Repo(str(run.parent)) as repo, chdir(run.parent):
            yield repo
    except LockError as error:
        raise PipelineError(f"{run}: another run holds it; wait for it to end") from error


def target(run: Path, stage: str = "") -> str:
    """How DVC names a stage of a run, or all of them."""
    return f"{run}/dvc.yaml:{stage}" if stage else f"{run}/dvc.yaml"


def check_out(repo: Repo, run: Path, stage: str = "") -> None:
    """Puts the outputs that `dvc.lock` names back, of a stage or of all; PipelineError where the cache lacks one."""
    try:
        repo.checkout(targets=[target(run, stage)], force=True)
    except DvcException as error:
        raise PipelineError(f"{run}: outputs {f'of {stage} ' if stage else ''}cannot be put back: {error}") from error
