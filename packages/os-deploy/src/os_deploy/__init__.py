"""Put a sparse model and a corpus into OpenSearch and prove that it serves."""

from os_deploy._files import InputError
from os_deploy.bundles import Bundle, ModelConfig, read_bundles
from os_deploy.checks import check_folder
from os_deploy.findings import Finding, Inspection

__version__ = "0.1.0"

__all__ = [
    "Bundle",
    "Finding",
    "InputError",
    "Inspection",
    "ModelConfig",
    "__version__",
    "check_folder",
    "read_bundles",
]
