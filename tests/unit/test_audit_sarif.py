"""The audit's SARIF, against what GitHub documents under "SARIF support for code scanning"."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aarch64_wheels.audit.catalogue import checks
from aarch64_wheels.audit.sarif import MAX_RESULTS, Subject, as_sarif, repository, uri_of
from tests.unit.audit_findings import BAD, COIL, DEBUG, HOSTILE, NAME, SVE, hostile

SUBJECT = Subject(uri="wheelhouse/a.whl", name=NAME, findings=BAD.findings)


def run(*subjects: Subject) -> Any:
    log = json.loads(as_sarif(subjects))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (found,) = log["runs"]
    return found


def test_each_check_is_a_rule_with_what_github_requires() -> None:
    driver = run()["tool"]["driver"]
    assert driver["name"] == "aarch64-wheels"
    assert [rule["id"] for rule in driver["rules"]] == list(checks())
    for rule, check in zip(driver["rules"], checks().values(), strict=True):
        for text in (rule["shortDescription"]["text"], rule["fullDescription"]["text"]):
            assert 0 < len(text) <= 1024
        assert check.remedy in rule["help"]["text"]
        assert check.remedy in rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] == check.level
        assert 0 < len(rule["properties"]["tags"]) <= 10


def test_a_finding_is_a_result_with_what_github_requires() -> None:
    first = run(SUBJECT)["results"][0]
    assert (first["ruleId"], first["level"]) == ("cpu-baseline", "error")
    assert list(checks())[first["ruleIndex"]] == "cpu-baseline"
    assert first["message"]["text"].startswith(SVE.message)
    (location,) = first["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "wheelhouse/a.whl"},
        "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1},
    }
    assert [row["fullyQualifiedName"] for row in location["logicalLocations"]] == [
        COIL,
        f"{COIL}:.text",
        f"{COIL}:.text:step",
    ]
    assert re.fullmatch(r"[0-9a-f]{16}:1", first["partialFingerprints"]["primaryLocationLineHash"])


def test_what_is_about_the_whole_wheel_has_no_place_in_it() -> None:
    whole = replace(SVE, file="", section="", symbol="")
    (result,) = run(replace(SUBJECT, findings=(whole,)))["results"]
    assert "logicalLocations" not in result["locations"][0]


def test_the_same_findings_give_the_same_bytes() -> None:
    assert as_sarif([SUBJECT]) == as_sarif([SUBJECT])


def test_the_category_is_left_to_the_upload() -> None:
    assert "automationDetails" not in run(SUBJECT)


def fingerprint(name: str = NAME, **changes: Any) -> str:
    finding = replace(SVE, **changes)
    (result,) = run(replace(SUBJECT, name=name, findings=(finding,)))["results"]
    return str(result["partialFingerprints"]["primaryLocationLineHash"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({}, {"name": NAME.replace("-1.0-", "-1.1-")}, id="version"),
        pytest.param({}, {"message": "in other words", "evidence": "at 0x4f0"}, id="words"),
        pytest.param(
            {"file": "spring-1.0.dist-info/RECORD"},
            {"file": "spring-1.1.dist-info/RECORD"},
            id="dist-info",
        ),
        pytest.param(
            {"file": "spring.libs/libz-bf1df61c.so.1.2"},
            {"file": "spring.libs/libz-00000000.so.1.2"},
            id="graft",
        ),
        pytest.param(
            {"symbol": "function at 0x870"}, {"symbol": "function at 0x12a4"}, id="stripped"
        ),
        pytest.param({"section": "LOAD at 0x0"}, {"section": "LOAD at 0x10000"}, id="segment"),
    ],
)
def test_a_finding_is_known_again(before: dict[str, str], after: dict[str, str]) -> None:
    assert fingerprint(**before) == fingerprint(**after)


@pytest.mark.parametrize(
    "change",
    [
        {"name": NAME.replace("cp313", "cp314")},
        {"check": "suffix"},
        {"file": "spring/_other.so"},
        {"symbol": "leap"},
    ],
    ids=["interpreter", "check", "member", "symbol"],
)
def test_another_finding_is_not_taken_for_it(change: dict[str, str]) -> None:
    assert fingerprint(**change) != fingerprint()


@pytest.mark.parametrize(
    "member",
    [".libs/" * 4000, ".libs/" + "-" * 60_000, "a.libs/" + "x-0123abcd" * 6000, "a-" * 30_000],
    ids=["directories", "dashes", "hashes", "projects"],
)
def test_a_long_name_takes_no_long_time(member: str) -> None:
    many = replace(SUBJECT, findings=[replace(SVE, file=member)] * 50)
    begin = time.monotonic()
    assert len(run(many)["results"]) == 50
    assert time.monotonic() - begin < 5


def test_findings_that_are_alike_are_counted() -> None:
    results = run(replace(SUBJECT, findings=(SVE, SVE)))["results"]
    marks = [row["partialFingerprints"]["primaryLocationLineHash"] for row in results]
    assert [mark.rpartition(":")[2] for mark in marks] == ["1", "2"]
    assert len({mark.partition(":")[0] for mark in marks}) == 1


def test_no_more_is_written_than_github_shows_and_errors_first() -> None:
    many = replace(SUBJECT, findings=[DEBUG[0]] * MAX_RESULTS)
    found = run(many, replace(SUBJECT, findings=(SVE,)))
    assert len(found["results"]) == MAX_RESULTS == 5000
    assert found["results"][0]["ruleId"] == "cpu-baseline"
    (note,) = found["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("1 more findings are left out")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_a_wheel_says_is_only_text(text: str) -> None:
    made = hostile(text)
    written = as_sarif([Subject(uri="a.whl", name=text, findings=made.findings)])
    assert len(written) < 60_000
    (result,) = json.loads(written)["runs"][0]["results"]
    assert result["message"]["text"].isprintable()
    assert "](" not in result["message"]["text"]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("/repo/dist/a-1.whl", "dist/a-1.whl"),
        ("/repo/dist/../dist/a-1.whl", "dist/a-1.whl"),
        ("/repo/a b#?%c.whl", "a%20b%23%3F%25c.whl"),
        ("/repo/a:b.whl", "a%3Ab.whl"),
        ("/repo/\udc80.whl", "%80.whl"),
        ("/elsewhere/dist/a-1.whl", "a-1.whl"),
        ("/repository/a-1.whl", "a-1.whl"),
    ],
)
def test_a_wheels_address_is_relative_to_the_repository(path: str, uri: str) -> None:
    assert uri_of(Path(path), Path("/repo")) == uri


def test_the_repository_is_the_workflows_or_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert repository({"GITHUB_WORKSPACE": "/home/runner"}) == Path("/home/runner")
    assert repository({}) == tmp_path
