"""What the host adds to the options of a project: variables that it may pass, constraints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.engine.create_args import read_create_args
from aarch64_wheels.settings.frontend import read_frontend
from aarch64_wheels.source.constraints import read_constraints
from aarch64_wheels.stages.job import Given

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from aarch64_wheels.plan import Plan

#: Secrets of a CI job that no build is given, whoever asks: code of requirements runs in it.
_SECRET = frozenset(
    {
        *("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL"),
        *("ACTIONS_RUNTIME_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "CI_JOB_TOKEN"),
        *("TWINE_PASSWORD", "PYPI_ID_TOKEN", "SIGSTORE_ID_TOKEN"),
        *("UV_PUBLISH_TOKEN", "UV_PUBLISH_PASSWORD", "FLIT_PASSWORD", "HATCH_INDEX_AUTH"),
        *("MATURIN_PYPI_TOKEN", "MATURIN_PASSWORD", "POETRY_PYPI_TOKEN_PYPI"),
    }
)
#: How the variables with the Action's inputs begin, credentials among them.
_OUR_INPUTS = "INPUT_"


def check_given(plan: Plan, root: Path, environ: Mapping[str, str]) -> None:
    """See that all targets can be given what they ask for, before anything is fetched for them.

    Args:
        plan: with the targets' options.
        root: the project's directory.
        environ: the variables of this process.

    Raises:
        UsageError: constraints or arguments of containers cannot be read.
    """
    for target in plan.targets:
        wanted = target.options
        read_constraints(wanted.dependency_versions, root, target.interpreter.version)
        read_create_args(wanted.container_engine, environ)


def given_to(
    plan: Plan, root: Path, environ: Mapping[str, str], note: Callable[[str], None]
) -> dict[str, Given]:
    """Give what each target of a plan is given, by its identifier.

    Args:
        plan: with the targets' options.
        root: the project's directory.
        environ: the variables of this process.
        note: told which variables are not passed, and what else has no effect.

    Raises:
        UsageError: constraints cannot be read.
    """
    asked = {name for target in plan.targets for name in target.options.environment_pass}
    for name in sorted(filter(_is_secret, asked)):
        note(f"`environment-pass` does not pass ${name}: it is a secret of this job")
    _tell_unused(plan, note)
    return {
        target.identifier: Given(
            passed=_passed(target.options.environment_pass, environ),
            constraints=read_constraints(
                target.options.dependency_versions, root, target.interpreter.version
            ),
        )
        for target in plan.targets
    }


def _passed(names: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[name] for name in names if name in environ and not _is_secret(name)}


def _is_secret(name: str) -> bool:
    return name in _SECRET or name.startswith(_OUR_INPUTS)


def _tell_unused(plan: Plan, note: Callable[[str], None]) -> None:
    """Name the arguments of a front end that mean nothing where this program is the front end."""
    texts = dict.fromkeys(target.options.build_frontend for target in plan.targets)
    unused = [word for text in texts for word in read_frontend(text).unused]
    if unused:
        note(f"`build-frontend`: no effect has {' '.join(dict.fromkeys(unused))}")
