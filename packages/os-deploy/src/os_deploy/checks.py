"""Offline checks of an export folder: everything about it that would fail, or silently degrade, on a cluster.

They cost seconds here and an upload, a deployment and a wrong index there.
"""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import msgspec

from os_deploy._files import InputError, read_json, sha256
from os_deploy.bundles import QUERY_ENCODER, Bundle, read_bundles
from os_deploy.findings import Finding, Inspection, Requirement, named, read_inspection
from os_deploy.tokens import check_idf, check_tokenizer

FORBIDDEN = (".jar", ".class", ".so", ".dylib", ".dll")
MAX_BYTES = 4_000_000_000

READABLE = Requirement(
    check="readable", wanted="a zip whose parts can be read", why="ML Commons unpacks it on every node"
)
SIZE = Requirement(
    check="size",
    wanted="model_content_size_in_bytes of its config",
    why="ML Commons refuses a model of another size or above 4 GB",
)
HASH = Requirement(
    check="hash", wanted="model_content_hash_value of its config", why="ML Commons refuses: model content changed"
)
ONE_MODEL = Requirement(
    check="one_model",
    wanted="exactly one TorchScript .pt at the root",
    why="ML Commons loads the only .pt that it finds",
)
FILES = Requirement(
    check="files",
    wanted="tokenizer.json and what the function needs at the root",
    why="ML Commons reads no other place",
)
NO_CODE = Requirement(
    check="no_code", wanted=f"no {', '.join(FORBIDDEN)} file", why="ML Commons refuses a model that carries programs"
)
COMPLETE = Requirement(
    check="models",
    wanted=f"at most one SPARSE_TOKENIZE zip, one SPARSE_ENCODING zip and one {QUERY_ENCODER}, each with its config",
    why=f"one model makes vectors of documents and one those of queries; a second encoder is known by {QUERY_ENCODER}",
)
INSPECTION = Requirement(
    check="inspection",
    wanted="a model that its own inspection calls safe for OpenSearch",
    why="it would be served otherwise than it was trained; `sparse-encoder inspect` says more",
)
SAME_KEYS = Requirement(
    check="same_tokenizer",
    wanted="one vocabulary in all zips",
    why="queries and documents match by token, and ids must mean the same on both sides",
)


def check_folder(folder: Path) -> list[Finding]:
    """All findings about an export folder, the ones that hold too; InputError only where there is nothing to check."""
    bundles = read_bundles(folder)
    findings = [_check_complete(folder, bundles)]
    for bundle in bundles:
        findings += named(bundle.zip_path.name, check_bundle(bundle))
    if len(bundles) > 1:
        findings += _check_same_keys(bundles)
    return findings + _check_inspection(folder)


def check_bundle(bundle: Bundle) -> list[Finding]:
    """The findings about one zip; after the first that makes the rest meaningless, no more are looked for."""
    try:
        n_files = len(bundle.names)
        findings = [
            READABLE.met(True, f"{n_files} files"),
            _check_size(bundle),
            _check_hash(bundle),
            _check_files(bundle),
        ]
        findings.append(_check_no_code(bundle.names))
        if bundle.encodes:
            findings.append(_check_one_model(bundle))
        if "tokenizer.json" in bundle.names:
            findings += check_tokenizer(bundle.tokenizer)
            if not bundle.encodes and "idf.json" in bundle.names:
                findings += check_idf(bundle.tokenizer, bundle.idf)
    except InputError as error:
        return [READABLE.met(False, str(error))]
    return findings


def _check_complete(folder: Path, bundles: Sequence[Bundle]) -> Finding:
    parts = [b.part for b in bundles]
    stray = sorted({p.name for p in folder.glob("*.zip")} - {b.zip_path.name for b in bundles})
    shown = [f"{b.config.function_name} ({b.zip_path.name})" for b in bundles]
    found = ", ".join(shown) + "".join(f", {name} without a config" for name in stray)
    return COMPLETE.met(len(set(parts)) == len(parts) and not stray, found)


class _ExportReport(msgspec.Struct, frozen=True):
    inspection: Inspection


def _check_inspection(folder: Path) -> list[Finding]:
    """What the model's inspection came to, where the export has its report; nothing otherwise.

    Failures that leave it safe are of the ceilings of `sparse_vector`, which are looked at when one is deployed.
    """
    alone, exported = folder / "inspection.json", folder / "export_report.json"
    reports = [read_inspection(alone)] if alone.is_file() else []
    reports += [read_json(exported, _ExportReport).inspection] if exported.is_file() else []
    findings = []
    for report in reports:
        failed = [f"{c.check}: {c.found}" for c in report.checks if not c.ok]
        shown = "safe" if report.safe_for_opensearch else "; ".join(failed) or "not safe"
        findings.append(INSPECTION.met(report.safe_for_opensearch, shown))
    return findings


def _check_size(bundle: Bundle) -> Finding:
    size = bundle.zip_path.stat().st_size
    wanted = bundle.config.model_content_size_in_bytes
    return SIZE.met(
        size == wanted and size <= MAX_BYTES, f"{size} bytes" + ("" if size == wanted else f" against {wanted}")
    )


def _check_hash(bundle: Bundle) -> Finding:
    found = sha256(bundle.zip_path)
    wanted = bundle.config.model_content_hash_value
    return HASH.met(found == wanted, found[:12] + ("" if found == wanted else f" against {wanted[:12]}"))


def _check_files(bundle: Bundle) -> Finding:
    wanted = {"tokenizer.json"} if bundle.encodes else {"tokenizer.json", "idf.json"}
    missing = sorted(wanted - set(bundle.names))
    return FILES.met(not missing, f"no {' and no '.join(missing)}" if missing else ", ".join(sorted(wanted)))


def _check_no_code(names: Sequence[str]) -> Finding:
    programs = [name for name in names if name.lower().endswith(FORBIDDEN)]
    return NO_CODE.met(not programs, ", ".join(programs) or "none")


def _check_one_model(bundle: Bundle) -> Finding:
    models = [name for name in bundle.names if PurePosixPath(name).suffix == ".pt"]
    if len(models) != 1 or "/" in models[0]:
        return ONE_MODEL.met(False, ", ".join(models) or "none")
    try:
        with zipfile.ZipFile(io.BytesIO(bundle.read(models[0]))) as archive:
            is_script = any("/code/" in f"/{name}" for name in archive.namelist())
    except zipfile.BadZipFile:
        is_script = False
    return ONE_MODEL.met(is_script, models[0] if is_script else f"{models[0]}, which is not TorchScript")


def _check_same_keys(bundles: Sequence[Bundle]) -> list[Finding]:
    try:
        first, *others = (b.tokenizer.vocabulary for b in bundles)
    except InputError:
        return []
    differing = {entry for other in others for entry in first.items() ^ other.items()}
    return [SAME_KEYS.met(not differing, f"{len(differing)} that differ" if differing else f"{len(first)} entries")]
