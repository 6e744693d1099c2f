"""A model folder to the hub: which files would go, and the upload itself. The token comes from the environment."""

import os
import re
from pathlib import Path

from sparse_encoder._files import InputError

REPOSITORY = re.compile(r"[a-zA-Z0-9_]([\w.-]*\w)?/[a-zA-Z0-9_]([\w.-]*\w)?", re.ASCII)


def files_to_push(model: Path) -> list[Path]:
    """The files of the folder by name, none of them hidden; InputError where it is no model, or has no card."""
    if not (model / "modules.json").is_file():
        raise InputError(f"{model}: is not a model folder: no modules.json")
    if not (model / "README.md").is_file():
        raise InputError(f"{model}: has no README.md; write one with: sparse-encoder card {model} --about about.yaml")
    files = (f for f in model.rglob("*") if f.is_file())
    return sorted(f for f in files if not any(part.startswith(".") for part in f.relative_to(model).parts))


def check_repository(repository: str) -> None:
    """InputError unless the name is one that the hub takes: owner/name.

    >>> check_repository("ko/sparse-small")
    """
    if not REPOSITORY.fullmatch(repository) or "--" in repository or ".." in repository:
        raise InputError(
            f"{repository!r}: is no name on the hub; wanted owner/name of letters, digits, '-', '_' and '.', neither "
            f"of them with '-' or '.' at an end or twice in a row"
        )


def push(model: Path, repository: str, *, private: bool) -> str:
    """Uploads the folder to `owner/name` in one commit and returns its address; HF_ENDPOINT names another hub."""
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    check_repository(repository)
    files = files_to_push(model)
    token = os.environ.get("HF_TOKEN", "")
    if not token:
        raise InputError("HF_TOKEN is not set; wanted a token with write access in the environment, and nowhere else")
    api = HfApi(token=token)
    try:
        api.create_repo(repository, repo_type="model", private=private, exist_ok=True)
        added = [
            CommitOperationAdd(path_in_repo=f.relative_to(model).as_posix(), path_or_fileobj=str(f)) for f in files
        ]
        done = api.create_commit(repository, added, commit_message="Model, tokenizer and card")
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"{repository}: the hub did not take it: {reason}") from error
    return str(done.commit_url)
