"""Where a pretrained model lies: a folder, or a name on the hub whose files are fetched."""

import re
from pathlib import Path

from sparse_encoder._files import InputError
from sparse_encoder.layouts import INFERENCE_FREE

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
NEEDED = ["*.json", "model.safetensors"]
"""Files of a hub repository that are fetched: never a pickle."""


def start_folder(name: str, *, beside: Path) -> Path:
    """The folder that holds config.json and weights: `name` relative to `beside`, or fetched from the hub."""
    folder = beside / name
    if not folder.exists() and HUB_NAME.fullmatch(name):
        folder = from_hub(name)
    document = folder / INFERENCE_FREE.document
    return document if document.is_dir() else folder


def from_hub(name: str) -> Path:
    """The local copy of a hub repository's files, fetched if it is not there yet; HF_ENDPOINT and HF_HOME hold."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=NEEDED))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"{name}: is no folder here, and the hub does not give it: {reason}") from error
