"""The arguments of the command line: what `--help` says, and what may be given."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from aarch64_wheels import __version__
from aarch64_wheels.settings.kinds import SWITCH
from aarch64_wheels.settings.publishing import PublishSettings
from aarch64_wheels.settings.schema import BuildOptions, EngineName, Option, options
from aarch64_wheels.settings.texts import TEXTS
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed import SupportsWrite

_DESCRIPTION = "Audited Linux aarch64 wheels on an ordinary x86-64 machine."

_EXAMPLES = """\
examples:
  aarch64-wheels build                               the project in this directory
  aarch64-wheels build kiwisolver==1.4.7             somebody else's release
  aarch64-wheels build --python cp311 cp313 -- .     two CPythons only
  aarch64-wheels build --image debian                without any image registry
  aarch64-wheels build --compiler gcc                with the image's own compiler
  aarch64-wheels plan --json                         what would be built
  aarch64-wheels audit wheelhouse/*.whl              is a wheel what it claims to be?
  aarch64-wheels audit --sarif audit.sarif dist      for GitHub code scanning
  aarch64-wheels audit --run dist                    import what is in it, too
  aarch64-wheels audit --explain cpu-baseline        what a check is about
  aarch64-wheels image list                          the images known by name
  aarch64-wheels image build debian                  assemble the embedded image now
  aarch64-wheels image accelerate debian --tag fast  an image with native tools, for cibuildwheel
  aarch64-wheels doctor --fix                        make this machine fit
  aarch64-wheels publish --dry-run                   what would go to PyPI
  aarch64-wheels publish --repository testpypi       a rehearsal
  aarch64-wheels publish --github-release v1.2.3     to PyPI and to a GitHub release

exit codes: 0 all done; 1 a target failed; 2 bad usage; 3 machine not fit; 4 publishing failed
"""

_PROJECT = "what a project usually sets itself, as for cibuildwheel"


class _Parser(argparse.ArgumentParser):
    """A parser whose help meets a reader that has gone: argparse's own says nothing of it."""

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        (file or sys.stdout).write(self.format_help())

    def error(self, message: str) -> NoReturn:
        """Keep an argument's own lines from passing for ours, as `AarchWheelsError` does."""
        super().error(one_line(message))


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands; which one was given is `command` among the arguments."""
    parser = _Parser(
        prog="aarch64-wheels",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_build(_command(commands, "build", "build, repair and audit wheels"))
    _add_plan(_command(commands, "plan", "show what would be built; needs no engine"))
    _add_audit(_command(commands, "audit", "check wheels against what they claim"))
    _add_image(_command(commands, "image", "list images, build the embedded one"))
    _add_publish(_command(commands, "publish", "publish finished wheels"))
    _add_doctor(_command(commands, "doctor", "check this machine, and make it fit"))
    return parser


def _command(
    commands: argparse._SubParsersAction[_Parser],
    name: str,
    text: str,
) -> argparse.ArgumentParser:
    lines = [line for line in _EXAMPLES.splitlines() if f"aarch64-wheels {name}" in line]
    parser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog="\n".join(["examples:", *lines]) if lines else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks of errors")
    parser.set_defaults(command=name)
    return parser


def _add_settings(parser: argparse._ActionsContainer, rows: Iterable[Option]) -> None:
    for option in rows:
        _add_option(parser, option)


def _add_option(parser: argparse._ActionsContainer, option: Option) -> None:
    text = TEXTS[option.field].replace("%", "%%")
    if not option.flag.startswith("-"):
        number = "*" if option.many else "?"
        parser.add_argument(option.field, nargs=number, metavar=option.flag, help=text)
    elif option.kind is SWITCH:
        parser.add_argument(f"--{option.name}", action="store_true", default=None, help=text)
    elif option.many:
        parser.add_argument(f"--{option.name}", nargs="+", metavar=_metavar(option), help=text)
    else:
        parser.add_argument(
            f"--{option.name}",
            choices=option.choices or None,
            metavar=_metavar(option),
            help=text,
        )


def _metavar(option: Option) -> str:
    if option.field in ("python", "skip", "enable", "test_skip"):
        return "SEL"
    if option.field == "audit_levels":
        return "CHECK=LEVEL"
    return "|".join(option.choices) or option.name.rpartition("-")[2].upper()


def _add_build(parser: argparse.ArgumentParser) -> None:
    _add_settings(parser, options())
    _add_settings(parser.add_argument_group(_PROJECT), options(BuildOptions))
    parser.add_argument("--dry-run", action="store_true", help="show the plan, build nothing")
    parser.add_argument("--verbose", "-v", action="store_true", help="show all output as it comes")


def _add_plan(parser: argparse.ArgumentParser) -> None:
    _add_settings(parser, options())
    _add_settings(parser.add_argument_group(_PROJECT), options(BuildOptions))
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the whole plan as JSON")
    form.add_argument("--matrix", action="store_true", help="a GitHub Actions matrix as JSON")


def _add_audit(parser: argparse.ArgumentParser) -> None:
    text = "wheels, and directories whose wheels are taken"
    parser.add_argument("wheels", nargs="*", type=Path, metavar="WHEEL", help=text)
    parser.add_argument("--plat", metavar="TAG", help="a tag to meet, as manylinux2014_aarch64")
    _add_settings(parser, [row for row in options() if row.field == "audit_levels"])
    parser.add_argument("--json", action="store_true", help="the findings as JSON")
    text = "write the findings as SARIF, for GitHub code scanning"
    parser.add_argument("--sarif", type=Path, metavar="FILE", help=text)
    text = "explain a check, or list all"
    parser.add_argument("--explain", nargs="?", const="", metavar="CHECK", help=text)
    _add_run(parser.add_argument_group("import tests under a plain ARMv8.0 processor"))


def _add_run(parser: argparse._ActionsContainer) -> None:
    text = "import every extension of the wheels in a container, under QEMU on x86-64"
    parser.add_argument("--run", action="store_true", help=text)
    text = "the aarch64 image to import in (default: debian, assembled here)"
    parser.add_argument("--image", metavar="NAME|REF", help=text)
    names = [name for name in EngineName if name is not EngineName.NONE]
    parser.add_argument("--engine", choices=names, help="which container engine to use")
    parser.add_argument("--cache-dir", metavar="DIR", help=TEXTS["cache_dir"])


def _add_image(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    listing = actions.add_parser("list", help="the images known by name")
    listing.add_argument("--json", action="store_true", help="as JSON")
    build = actions.add_parser("build", help="assemble the embedded image")
    build.add_argument("name", choices=["debian"], help="the embedded image's name")
    build.add_argument("--cache-dir", metavar="DIR", help=TEXTS["cache_dir"])
    build.add_argument("--no-cache", action="store_true", default=None, help=TEXTS["no_cache"])
    build.add_argument("--engine", choices=["auto", "docker", "podman"], help=TEXTS["engine"])
    text = "assemble anew if the Debian suites have changed since"
    build.add_argument("--refresh", action="store_true", help=text)
    _add_accelerate(actions)


def _add_accelerate(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "make an image with native tools, for cibuildwheel or a Dockerfile's FROM"
    accelerate = actions.add_parser("accelerate", help=text)
    accelerate.add_argument("reference", metavar="REF", help="an aarch64 image")
    accelerate.add_argument("--tag", required=True, metavar="TAG", help="the new image's name")
    accelerate.add_argument("--engine", choices=["auto", "docker", "podman"], help=TEXTS["engine"])
    bundle = actions.add_parser("bundle", help="export the native tools, for the Dockerfile")
    bundle.add_argument("directory", type=Path, metavar="DIR", help="where to put them")
    for parser in (accelerate, bundle):
        parser.add_argument("--cache-dir", metavar="DIR", help=TEXTS["cache_dir"])


def _add_publish(parser: argparse.ArgumentParser) -> None:
    _add_settings(parser, options(PublishSettings))
    parser.add_argument("--dry-run", action="store_true", help="show the plan, send nothing")
    parser.add_argument("--json", action="store_true", help="the plan as JSON")


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fix", action="store_true", help="install and start what is missing")
    parser.add_argument("--json", action="store_true", help="the checks as JSON")
    parser.add_argument("--engine", choices=[*EngineName], help=TEXTS["engine"])
    parser.add_argument("--cache-dir", metavar="DIR", help=TEXTS["cache_dir"])
    parser.add_argument("--output-dir", metavar="DIR", help=TEXTS["output_dir"])
