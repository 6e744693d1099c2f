"""What a check found, in the words of the inspection format.

Every refusal of this package is a finding first, so that a user sees all of what is wrong at once and a program can
read it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from os_deploy._files import InputError, check_version, read_json, write_json


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at: whether it holds, what was found, what was wanted and why that matters."""

    check: str
    """Its short name, such as `vocabulary_size`; a part of a folder stands before it: `encoder.zip: hash`."""
    ok: bool
    found: str
    wanted: str
    why: str

    def line(self) -> str:
        """The finding as one line of text.

        >>> Finding(check="vocabulary_size", ok=True, found="8000", wanted="at most 32768", why="ids fold").line()
        'ok    vocabulary_size: 8000'
        >>> Finding(check="vocabulary_size", ok=False, found="50000", wanted="at most 32768", why="ids fold").line()
        'FAIL  vocabulary_size: found 50000, wanted at most 32768 (ids fold)'
        """
        if self.ok:
            return f"ok    {self.check}: {self.found}"
        return f"FAIL  {self.check}: found {self.found}, wanted {self.wanted} ({self.why})"


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """A report in the inspection format, as `sparse-encoder inspect` and `os-deploy check` write it."""

    format: str = "inspection"
    version: int = 1
    model: str
    safe_for_opensearch: bool
    checks: list[Finding]


def inspection(model: str, findings: Sequence[Finding]) -> Inspection:
    """The report over `findings`: safe where every one of them holds."""
    return Inspection(model=model, safe_for_opensearch=all(f.ok for f in findings), checks=list(findings))


def read_inspection(path: Path) -> Inspection:
    """Reads a report; InputError where it is of another format or of a newer version."""
    report = read_json(path, Inspection)
    if report.format != "inspection":
        raise InputError(f"{path}: found format {report.format!r}, wanted 'inspection'")
    check_version(path, report.format, report.version)
    return report


def write_inspection(path: Path, report: Inspection) -> None:
    """Writes a report, indented by two."""
    write_json(path, report)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What is wanted of one thing and why: a finding that waits for what is found."""

    check: str
    wanted: str
    why: str

    def met(self, ok: bool, found: str) -> Finding:
        """The finding that this requirement makes of `found`."""
        return Finding(check=self.check, ok=ok, found=found, wanted=self.wanted, why=self.why)


def named(where: str, findings: Sequence[Finding]) -> list[Finding]:
    """The same findings, each with the place it was looked at in front of its name."""
    return [msgspec.structs.replace(f, check=f"{where}: {f.check}") for f in findings]


def refuse_failures(what: str, findings: Sequence[Finding]) -> None:
    """Raises InputError that lists each failed finding; does nothing where all hold."""
    failed = [f for f in findings if not f.ok]
    if failed:
        lines = "\n  ".join(f.line() for f in failed)
        raise InputError(f"{what}: {len(failed)} of {len(findings)} checks failed, nothing was changed\n  {lines}")
