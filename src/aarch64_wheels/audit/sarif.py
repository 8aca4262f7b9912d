"""An audit as SARIF 2.1.0 (OASIS), in the form that GitHub's code scanning takes.

GitHub documents what it needs under "SARIF support for code scanning": rules with descriptions and
help, a location with a region in each result, and a `primaryLocationLineHash`, by which it knows a
result again. What is written depends on the findings alone: no times, no paths of this machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aarch64_wheels import __version__
from aarch64_wheels.audit.catalogue import checks
from aarch64_wheels.audit.groups import sentence, short
from aarch64_wheels.audit.model import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aarch64_wheels.audit.catalogue import Check
    from aarch64_wheels.audit.model import Finding

FILE_NAME = "audit.sarif"
#: GitHub shows so many of a run, and refuses a file with more than five times as many.
MAX_RESULTS = 5000

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
#: No file system has longer names; a member's in an archive may have 65,535 bytes.
_LONGEST = 300
#: What of a member's name belongs to one release: the version of .dist-info and .data, and the hash
#: that auditwheel puts into the name of a grafted library.
_OF_RELEASE = (
    (re.compile(r"^([^/-]+)-[^/]+(?=\.(?:dist-info|data)/)"), r"\1"),
    (re.compile(r"(?<=\.libs/)([^/]*)-[0-9a-f]{8}(?=\.)"), r"\1"),
)
#: An address stands for the name of what has none, and is another one after each change.
_ADDRESS = re.compile(r"0x[0-9a-f]+")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A wheel and what was found in it.

    Attributes:
        uri: of the file, as `uri_of` makes it. name: the wheel's file name.
    """

    uri: str
    name: str
    findings: Sequence[Finding]


def uri_of(path: Path, base: Path) -> str:
    """Give a file's address relative to the root of the repository, or its name if it is outside.

    Args:
        path: the file.
        base: the root, or the working directory where none is known.
    """
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - links are not followed
    inside = absolute.is_relative_to(base)
    shown = absolute.relative_to(base).as_posix() if inside else absolute.name
    return quote(os.fsencode(shown))


def repository(environ: Mapping[str, str]) -> Path:
    """Give the root of the repository that a workflow is of, elsewhere the working directory."""
    with contextlib.suppress(FileNotFoundError):  # it was removed
        return Path(environ.get("GITHUB_WORKSPACE") or os.curdir).absolute()
    return Path(os.devnull)  # nothing is inside


def as_sarif(subjects: Iterable[Subject]) -> str:
    """Write all findings as one run; ends with a line end.

    The run has no `automationDetails`: GitHub's upload makes them of the workflow, the job and its
    matrix only where there are none, and takes a second run of the same ones for the first.
    """
    results, left = _results(subjects)
    run = {
        "tool": {"driver": _driver()},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, **_left_out(left)}],
        "results": results,
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _driver() -> dict[str, Any]:
    return {
        "name": "aarch64-wheels",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(check) for check in checks().values()],
    }


def _rule(check: Check) -> dict[str, Any]:
    switch = f'audit-levels = ["{check.name}=off"]'
    return {
        "id": check.name,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.why},
        "help": {
            "text": f"{check.why}\n\nRemedy: {check.remedy}\n\nSwitch: {switch}",
            "markdown": f"{check.why}\n\n**Remedy:** {check.remedy}\n\n**Switch:** `{switch}`",
        },
        "defaultConfiguration": {"level": str(check.level)},
        "properties": {
            "tags": ["aarch64", "python", "wheel"],
            "precision": "high",
            "problem.severity": str(check.level),
        },
    }


def _results(subjects: Iterable[Subject]) -> tuple[list[dict[str, Any]], int]:
    """Give the results, errors first, and how many are left out for want of room."""
    rows = [(subject, finding) for subject in subjects for finding in subject.findings]
    rows.sort(key=lambda row: row[1].level is not Level.ERROR)
    return list(_made(rows[:MAX_RESULTS])), max(0, len(rows) - MAX_RESULTS)


def _made(rows: Iterable[tuple[Subject, Finding]]) -> Iterator[dict[str, Any]]:
    index = {name: place for place, name in enumerate(checks())}
    seen: Counter[str] = Counter()
    for subject, finding in rows:
        digest = _digest(subject, finding)
        seen[digest] += 1
        yield {
            "ruleId": short(finding.check),
            # -1 is SARIF's own word for a rule that is not in the list.
            "ruleIndex": index.get(finding.check, -1),
            "level": str(finding.level),
            "message": {"text": _message(finding)},
            "locations": [_location(subject, finding)],
            # As GitHub's own tools write it: what it is, and which one of several like it.
            "partialFingerprints": {"primaryLocationLineHash": f"{digest}:{seen[digest]}"},
        }


def _message(finding: Finding) -> str:
    """Keep a name in a wheel from being a link (SARIF 3.11.6)."""
    return sentence(finding).replace("](", "] (")


def _location(subject: Subject, finding: Finding) -> dict[str, Any]:
    named = list(_logical(finding))
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": subject.uri},
            # A wheel has no lines; without a region GitHub shows nothing.
            "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1},
        },
        **({"logicalLocations": named} if named else {}),
    }


def _logical(finding: Finding) -> Iterator[dict[str, str]]:
    """Name the member, the section and the symbol, each within the one before."""
    above = ""
    for kind, name in (
        ("resource", finding.file),
        ("resource", finding.section),
        ("function", finding.symbol),
    ):
        if name:
            above = f"{above}:{short(name)}" if above else short(name)
            yield {"name": short(name), "fullyQualifiedName": above, "kind": kind}


def _digest(subject: Subject, finding: Finding) -> str:
    """Say what a result is, so that it is the same in the project's next release."""
    project, *rest = subject.name.removesuffix(".whl").split("-")
    member = finding.file[:_LONGEST]
    for pattern, kept in _OF_RELEASE:
        member = pattern.sub(kept, member)
    inner = (_ADDRESS.sub("", name) for name in (finding.section, finding.symbol))
    parts = (project, *rest[-3:], finding.check, member, *inner)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def _left_out(number: int) -> dict[str, Any]:
    if not number:
        return {}
    text = f"{number} more findings are left out; `aarch64-wheels audit --json` has all of them."
    return {"toolExecutionNotifications": [{"level": "warning", "message": {"text": text}}]}
