"""The published parts of an OpenSearch server, each pinned by version, size and sha256.

Versions are pinned because the repository holds no newer set that fits together; the checksums are ours because a
repository's own are only as good as the connection to it.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from os_deploy._files import InputError, sha256

VERSION = "3.6.0"
NORI_VERSION = "3.8.0"
LUCENE_VERSION = "10.4.0"
TORCH_VERSION = "2.5.1"
DJL_VERSION = "0.31.1"
JNI_VERSION = "0.32.0"
SECURITY_VERSION = "3.4.0.0"

_PLUGINS = "org.opensearch.plugin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One file of a Maven repository."""

    group: str
    name: str
    version: str
    packaging: str
    classifier: str = ""
    n_bytes: int
    sha256: str

    @property
    def file_name(self) -> str:
        """Its name in a repository.

        >>> PYTORCH_NATIVE.file_name
        'pytorch-native-cpu-2.5.1-linux-x86_64.jar'
        """
        tail = f"-{self.classifier}" if self.classifier else ""
        return f"{self.name}-{self.version}{tail}.{self.packaging}"


CORE = Artifact(
    group="org.opensearch.distribution.integ-test-zip",
    name="opensearch",
    version=VERSION,
    packaging="zip",
    n_bytes=161_609_640,
    sha256="a91faa1dc1cadc78cb278b4f63847e19e1627a4e9de698e14e7efc14ee37b286",
)
KNN = Artifact(
    group=_PLUGINS,
    name="opensearch-knn",
    version=f"{VERSION}.0",
    packaging="zip",
    n_bytes=6_015_541,
    sha256="ac392ca28a39b3bf290648a422ef30cb149dda2963a9d7feb26060e932341c9a",
)
NEURAL_SEARCH = Artifact(
    group=_PLUGINS,
    name="neural-search",
    version=f"{VERSION}.0",
    packaging="zip",
    n_bytes=12_095_213,
    sha256="6ef1b206e79391e2e36268e32dc34d27fd8b8a59a8eb0a7393c97d53b038e433",
)
JOB_SCHEDULER = Artifact(
    group=_PLUGINS,
    name="opensearch-job-scheduler",
    version=f"{VERSION}.0",
    packaging="zip",
    n_bytes=368_626,
    sha256="f81d0aa9fc850b18f803292bd7ae68bd33561f6c1d12db0f68529d40eddcee24",
)
ML_COMMONS = Artifact(
    group=_PLUGINS,
    name="opensearch-ml-plugin",
    version=f"{VERSION}.0",
    packaging="zip",
    n_bytes=390_566_619,
    sha256="c051d436fe1936da1477bb999db829eb2bc92b12989e376c300d0a874fb90f9d",
)
PYTORCH_NATIVE = Artifact(
    group="ai.djl.pytorch",
    name="pytorch-native-cpu",
    version=TORCH_VERSION,
    packaging="jar",
    classifier="linux-x86_64",
    n_bytes=109_602_264,
    sha256="9c4f35fb64cb3fba34340b432c648e1bea044adeee554b473d5882499b16f0a4",
)
PYTORCH_JNI = Artifact(
    group="ai.djl.pytorch",
    name="pytorch-jni",
    version=f"{TORCH_VERSION}-{JNI_VERSION}",
    packaging="jar",
    n_bytes=4_931_626,
    sha256="342bde24382eef06e93a2461fd8f293e5c2c6c72caca7d66019d0a9447d96265",
)
NORI = Artifact(
    group=_PLUGINS,
    name="analysis-nori",
    version=NORI_VERSION,
    packaging="jar",
    n_bytes=14_483,
    sha256="2682186f2dd7fd03929f708b15829e8a00702d28271726d29017f7703e9cb0eb",
)
LUCENE_NORI = Artifact(
    group="org.apache.lucene",
    name="lucene-analysis-nori",
    version=LUCENE_VERSION,
    packaging="jar",
    n_bytes=7_824_811,
    sha256="20d73821c1cf44f59f89175981560be7c31c9530b92f1a886b8b6ef7c7fec1f8",
)
ICU = Artifact(
    group="com.ibm.icu",
    name="icu4j",
    version="77.1",
    packaging="jar",
    n_bytes=14_663_227,
    sha256="b3640b9f416a4411fd33c59abbeea8fd57d024c23e1819bf9673220a97499fe3",
)
ICU_LOCALES = Artifact(
    group="com.ibm.icu",
    name="icu4j-localespi",
    version="77.1",
    packaging="jar",
    n_bytes=50_797,
    sha256="77d0da4f10c6158174cc3dafbb51356031a09e0fcaaf0432330afb4fb552cac9",
)
SECURITY = Artifact(
    group=_PLUGINS,
    name="opensearch-security",
    version=SECURITY_VERSION,
    packaging="zip",
    n_bytes=49_263_978,
    sha256="fc164c084979f7f793d295b6bca56bf8bee76dafb762adef9f14fa872e0a7596",
)


class NoRepositoryError(InputError):
    """The repository that holds the artifacts cannot be reached from here."""


def fetch(artifacts: Sequence[Artifact], cache: Path) -> dict[str, Path]:
    """The artifacts' files by name, downloaded into `cache` where they are not there yet.

    A file appears in `cache` only when its checksum is right, so a killed download leaves nothing that is used.
    """
    return {artifact.name: _fetch_one(artifact, cache) for artifact in artifacts}


def _fetch_one(artifact: Artifact, cache: Path) -> Path:
    path = cache / f"{artifact.sha256[:12]}-{artifact.file_name}"
    if path.is_file() and path.stat().st_size == artifact.n_bytes:
        return path
    cache.mkdir(parents=True, exist_ok=True)
    repository = cache / f".part-{os.getpid()}"
    try:
        print(f"downloading {artifact.file_name} ({artifact.n_bytes / 1e6:.0f} MB)", file=sys.stderr)
        part = _download(artifact, repository)
        found = sha256(part)
        if found != artifact.sha256:
            raise InputError(
                f"{artifact.file_name}: found sha256 {found}, wanted {artifact.sha256}: the download was changed"
            )
        part.replace(path)
    finally:
        shutil.rmtree(repository, ignore_errors=True)
    return path


def _download(artifact: Artifact, repository: Path) -> Path:
    try:
        from jgo.maven import MavenContext
    except ImportError as error:
        raise ImportError('the development server needs an extra: pip install "os-deploy[server]"') from error

    component = MavenContext(repo_cache=repository, timeout=60).project(artifact.group, artifact.name)
    try:
        found = component.at_version(artifact.version).artifact(artifact.classifier, artifact.packaging).resolve()
    except (OSError, RuntimeError) as error:
        raise NoRepositoryError(
            f"{artifact.file_name}: cannot be fetched from Maven Central ({type(error).__name__}): "
            f"connect to it, or set OPENSEARCH_URL to a cluster that is there"
        ) from error
    return Path(found)
