"""Puts the distribution together from its artifacts, once per flavour, in a folder that servers share and never change.

A folder appears only when it is complete: it is assembled beside its place and renamed, so a kill leaves nothing that a
later start would take for whole.
"""

import fcntl
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from os_deploy._files import whole
from os_deploy.server import artifacts as parts

NATIVES = f"pytorch/{parts.TORCH_VERSION}-cpu-precxx11-linux-x86_64"
"""Where DJL looks for PyTorch, under a node's `ml_cache`."""

NORI_DESCRIPTOR = f"""description=Korean (nori) analysis
name=analysis-nori
version={parts.VERSION}
opensearch.version={parts.VERSION}
java.version=21
classname=org.opensearch.plugin.analysis.nori.AnalysisNoriPlugin
extended.plugins=
has.native.controller=false
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """Which parts the distribution has, beside search and nori."""

    models: bool
    security: bool
    locales: bool
    """With ICU's locale data, for a Java runtime without its own."""

    @property
    def name(self) -> str:
        """The name of its folder.

        >>> Flavour(models=True, security=False, locales=False).name
        'opensearch-3.6.0-models'
        """
        tails = [tail for tail in ("models", "security", "locales") if getattr(self, tail)]
        return "-".join([f"opensearch-{parts.VERSION}", *tails])

    def artifacts(self) -> list[parts.Artifact]:
        """Everything it is made of."""
        wanted = [parts.CORE, parts.KNN, parts.NEURAL_SEARCH, parts.NORI, parts.LUCENE_NORI]
        if self.models:
            wanted += [parts.JOB_SCHEDULER, parts.ML_COMMONS, parts.PYTORCH_NATIVE, parts.PYTORCH_JNI]
        if self.security:
            wanted.append(parts.SECURITY)
        if self.locales:
            wanted += [parts.ICU, parts.ICU_LOCALES]
        return wanted


def assemble(flavour: Flavour, cache: Path) -> Path:
    """The folder of the distribution, made where it is not there yet."""
    home = cache / "distributions" / flavour.name
    if home.is_dir():
        return home
    with _alone(cache / "assembly.lock"):
        if home.is_dir():
            return home
        files = parts.fetch(flavour.artifacts(), cache / "artifacts")
        print(f"assembling {flavour.name}", file=sys.stderr)
        with whole(home) as part:
            _unpack_core(files, part)
            _add_plugins(files, part)
            if flavour.models:
                _add_natives(files, part / "ml_cache" / NATIVES)
            if flavour.security:
                _adapt_security(part)
            if flavour.locales:
                for artifact in (parts.ICU, parts.ICU_LOCALES):
                    shutil.copy(files[artifact.name], part / "lib" / artifact.file_name)
    return home


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Waits until no other process assembles; the system frees the lock of one that was killed."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _unpack_core(files: Mapping[str, Path], home: Path) -> None:
    unpacked = home.with_name(f"{home.name}.core")
    shutil.rmtree(unpacked, ignore_errors=True)
    with zipfile.ZipFile(files[parts.CORE.name]) as archive:
        archive.extractall(unpacked)
    (unpacked / f"opensearch-{parts.VERSION}").rename(home)
    shutil.rmtree(unpacked)
    for program in (home / "bin").iterdir():
        program.chmod(0o755)  # zipfile drops the mode


def _add_plugins(files: Mapping[str, Path], home: Path) -> None:
    for name, path in files.items():
        if path.suffix == ".zip" and name != parts.CORE.name:
            _unpack_plugin(path, home / "plugins")
    nori = home / "plugins/analysis-nori"
    nori.mkdir(parents=True)
    for artifact in (parts.NORI, parts.LUCENE_NORI):
        shutil.copy(files[artifact.name], nori / artifact.file_name)
    (nori / "plugin-descriptor.properties").write_text(NORI_DESCRIPTOR, encoding="utf-8")


def _unpack_plugin(path: Path, plugins: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        descriptor = archive.read("plugin-descriptor.properties").decode("utf-8")
        found = re.search(r"(?m)^name=(\S+)", descriptor)
        folder = plugins / (found[1] if found else path.stem)
        # 304 MB of CUDA libraries that only ONNX models on a GPU need
        wanted = [name for name in archive.namelist() if not name.rpartition("/")[2].startswith("onnxruntime_gpu-")]
        archive.extractall(folder, wanted)


def _add_natives(files: Mapping[str, Path], folder: Path) -> None:
    """Fills DJL's cache, which would otherwise be downloaded when the first model is deployed."""
    folder.mkdir(parents=True)
    with zipfile.ZipFile(files[parts.PYTORCH_NATIVE.name]) as archive:
        for name in archive.namelist():
            if name.startswith("pytorch/cpu/linux-x86_64/lib"):
                _extract(archive, name, folder / name.rpartition("/")[2])
    with zipfile.ZipFile(files[parts.PYTORCH_JNI.name]) as archive:
        _extract(archive, "jnilib/linux-x86_64/cpu/libdjl_torch.so", folder / f"{parts.DJL_VERSION}-libdjl_torch.so")


def _extract(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    with archive.open(name) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target)


def _adapt_security(home: Path) -> None:
    """Makes the newest published security plugin, of 3.4, run on this core: for testing clients only."""
    plugin = home / "plugins/opensearch-security"
    for jar in plugin.glob("bc*-fips-*.jar"):
        jar.unlink()  # the core carries them: two copies are refused
    descriptor = plugin / "plugin-descriptor.properties"
    text = descriptor.read_text(encoding="utf-8")
    pattern = r"(?m)^opensearch\.version=.*"
    descriptor.write_text(re.sub(pattern, f"opensearch.version={parts.VERSION}", text), encoding="utf-8")
    (plugin / "config").rename(home / "config/opensearch-security")
