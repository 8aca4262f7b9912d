"""action.yml beside the settings: every option is an input, and what reaches its steps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.settings.publishing import PublishSettings
from aarch64_wheels.settings.schema import BuildOptions, options

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[2]
BUILDING = (*options(), *options(BuildOptions))
ACTION_YML = (ROOT / "action.yml").read_text(encoding="utf-8")


def section(name: str) -> str:
    """A top-level section of action.yml, which is written with two spaces a level."""
    match = re.search(rf"^{name}:\n((?:(?: .*)?\n)+)", ACTION_YML, re.MULTILINE)
    assert match is not None
    return match[1]


def keys(name: str) -> list[str]:
    return re.findall(r"^  ([\w-]+):", section(name), re.MULTILINE)


#: Inputs that are no settings: switches, and secrets, which have names of their own.
SWITCHES = {"setup", "build", "publish", "dry-run"}
SECRETS = {f"TWINE_{name.upper()}": name for name in ("username", "password")} | {
    f"{name.upper()}_TOKEN": f"{name}-token" for name in ("github",)
}


def test_every_option_is_an_input_and_the_other_way_round() -> None:
    names = {
        option.name for option in [*options(), *options(BuildOptions), *options(PublishSettings)]
    }
    assert sorted(keys("inputs")) == sorted(names | SWITCHES | set(SECRETS.values()))


def passed(step: str) -> dict[str, str]:
    """What reaches a step through its environment."""
    text = ACTION_YML.partition(f"- id: {step}\n")[2].partition("- id: ")[0]
    # Where the wheels are, the build knows best: its source may have a table of its own.
    text = text.replace("steps.build.outputs.wheelhouse || ", "")
    return dict(re.findall(r"(\w+): \$\{\{ inputs\.([\w-]+) \}\}", text))


def variables(names: Iterable[str]) -> dict[str, str]:
    return {f"INPUT_{name.replace('-', '_').upper()}": name for name in names}


def test_every_input_travels_through_the_environment() -> None:
    building = [option.name for option in BUILDING]
    assert passed("build") == variables([*building, "setup", "build"])
    publishing = [option.name for option in options(PublishSettings)]
    assert passed("publish") == variables([*publishing, "publish", "dry-run"]) | SECRETS


def test_every_input_and_output_is_described() -> None:
    for name in ("inputs", "outputs"):
        assert section(name).count("    description: ") == len(keys(name))


def test_after_a_failed_build_only_what_was_built_is_published() -> None:
    condition = " ".join(ACTION_YML.partition("- id: publish\n")[2].partition("shell:")[0].split())
    assert condition == (
        "if: >- inputs.publish != '' && inputs.publish != 'false' && (success() || "
        "(inputs.allow-partial == 'true' && steps.build.outputs.report != '' && !cancelled()))"
    )


def test_no_expression_stands_in_a_script() -> None:
    scripts = re.findall(r"^ +run: (.*)$", ACTION_YML, re.MULTILINE)
    assert [script.rpartition(" ")[2] for script in scripts] == [
        "aarch64_wheels.action",
        "aarch64_wheels.publish_action",
    ]
    assert "${{" not in " ".join(scripts)


def test_the_file_stays_thin() -> None:
    """Its inputs are as many as the settings; what it does is short."""
    runs = ACTION_YML.partition("\nruns:\n")[2].splitlines()
    steps = [line for line in runs if not line.strip().startswith("INPUT_")]
    assert 20 <= len(steps) <= 80
