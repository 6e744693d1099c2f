"""`dvc.lock` of a run: which stages have run, with the hashes of what they read and made.

DVC writes it; here it is only asked, and told to forget a stage, without the seconds that importing DVC takes.
"""

from pathlib import Path

import yaml


def has_run(run: Path, stage: str) -> bool:
    """Whether the stage of the run in that folder has run to its end."""
    return stage in _read(run).get("stages", {})


def forget(run: Path, stage: str) -> None:
    """Removes a stage from the lock, so that it runs again."""
    locked = _read(run)
    if locked.get("stages", {}).pop(stage, None) is not None:
        (run / "dvc.lock").write_text(yaml.safe_dump(locked, sort_keys=False), encoding="utf-8")


def _read(run: Path) -> dict[str, dict[str, object]]:
    path = run / "dvc.lock"
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.is_file() else {}
