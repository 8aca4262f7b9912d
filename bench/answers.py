"""What a Meson configuration has found out, read from what it printed. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: `Checking for function "x" : YES`, `Has header "x.h" : NO`, `Test features "ASIMD" : Supported`
_QUESTION = re.compile(
    r"(?P<question>(?:Checking (?:for|if|whether)|Has header|Header|Compiler for|Library"
    r"|Run-time dependency|Test features|Message:) .*) ?: (?P<answer>.*)"
)
#: What follows belongs to it: a feature set, the targets of a dispatched source.
_SUBJECT = re.compile(r" *(?P<subject>baseline|dispatch|Generating multi-targets for .*?):? *")
_OF_SUBJECT = re.compile(r" +(?P<question>Requested|Enabled|Enabled targets) *: ?(?P<answer>.*)")
#: How an answer was come by, which depends on the tools that are there.
_HOW = re.compile(r"\((?:cached|tried .*)\)")


def read_answers(log: str) -> dict[str, str]:
    """Read all answers of the configuration whose output is in a log; the last of each counts."""
    answers: dict[str, str] = {}
    subject = ""
    for line in log.splitlines():
        if found := _QUESTION.fullmatch(line):
            answers[_tidy(found["question"])] = _tidy(found["answer"])
        elif found := _SUBJECT.fullmatch(line):
            subject = found["subject"]
        elif subject and (found := _OF_SUBJECT.fullmatch(line)):
            answers[f"{subject}: {found['question']}"] = _tidy(found["answer"])
    return answers


def _tidy(text: str) -> str:
    return " ".join(_HOW.sub("", text).split())


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> tuple[str, ...]:
    """List the questions that were answered differently, or by one only, in order."""
    questions = [*ours, *(one for one in theirs if one not in ours)]
    return tuple(
        f"{one}: {ours.get(one, 'not asked')}, GCC: {theirs.get(one, 'not asked')}"
        for one in questions
        if ours.get(one) != theirs.get(one)
    )
