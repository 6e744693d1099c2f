"""A starting folder for a task of one's own: small, complete and ready to run.

It classifies support tickets, so that it is plain which lines to change.
"""

from pathlib import Path

from ._files import InputError, whole

STARTER = Path(__file__).parent / "starter"


def write_new_task(folder: Path) -> None:
    """Writes a task's four files to a folder that is not there yet; its name becomes the task's."""
    if folder.exists():
        raise InputError(f"{folder}: is there already; give the name of a new folder")
    with whole(folder) as part:
        part.mkdir()
        for file in sorted(STARTER.iterdir()):
            text = file.read_text(encoding="utf-8").replace('name = "starter"', f'name = "{folder.name}"')
            (part / file.name).write_text(text, encoding="utf-8", newline="\n")
