"""Which commands of `before-all` read nothing of the project, so that its edits do not count."""

from __future__ import annotations

import pytest

from aarch64_wheels.commands.before_all import reads_no_project
from tests.unit.before_all_stand import YUM

ALONE = {
    "yum": YUM,
    "dnf": "dnf -y install openssl-devel",
    "apk": "apk add libffi-dev",
    "two": "apt-get update && apt-get install -y libffi-dev",
    "by-semicolon": "apt update; apt install -y libpq-dev",
    "with-variables": "DEBIAN_FRONTEND=noninteractive apt-get install -y tzdata",
    "by-sudo": "sudo yum install -y zlib-devel",
}
NOT_ALONE = {
    "script": "sh step.sh",
    "after-it": "yum install -y gcc && sh step.sh",
    "or-else": "yum install -y a || sh step.sh",
    "piped": "yum install -y a | tee log",
    "background": "yum install -y a & make",
    "file": "yum install -y ./own.rpm",
    "file-at-home": "yum install -y ~a",
    "glob": "yum localinstall -y rpms*",
    "pattern": "yum localinstall -y rp[m]",
    "redirected": "yum install -y a < answers",
    "substituted": "yum install -y $(cat packages)",
    "backticks": "yum install -y `cat packages`",
    "variable": "yum install -y $PACKAGES",
    "placeholder": "yum install -y {project}",
    "in-brackets": "(yum install -y a)",
    "other-program": "yummy install a",
    "no-word": "yum",
}


@pytest.mark.parametrize("command", ALONE.values(), ids=ALONE.keys())
def test_package_managers_alone(command: str) -> None:
    assert reads_no_project(command)


@pytest.mark.parametrize("command", NOT_ALONE.values(), ids=NOT_ALONE.keys())
def test_what_may_read_the_project(command: str) -> None:
    assert not reads_no_project(command)


@pytest.mark.parametrize(
    ("environment", "alone"),
    [
        pytest.param("A=1 B='x y' PATH=$PATH:/opt", True, id="values"),
        pytest.param("A=$(cat VERSION)", False, id="substituted"),
        pytest.param("A=`cat VERSION`", False, id="backticks"),
        pytest.param("A=<(cat VERSION)", False, id="process"),
    ],
)
def test_an_environment_may_read_the_project(environment: str, *, alone: bool) -> None:
    assert reads_no_project(YUM, environment) is alone
