"""The command line: the only place that parses argv, and the only one that catches our errors."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from aarch64_wheels import __version__, signals
from aarch64_wheels.errors import AarchWheelsError, ExitCode, UnfitError
from aarch64_wheels.settings.kinds import SWITCH
from aarch64_wheels.settings.publishing import PublishSettings
from aarch64_wheels.settings.schema import Option, Settings, options
from aarch64_wheels.text import one_line

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
  aarch64-wheels image list                          the images known by name
  aarch64-wheels image build debian                  assemble the embedded image now
  aarch64-wheels image accelerate debian --tag fast  an image with native tools, for cibuildwheel
  aarch64-wheels doctor --fix                        make this machine fit
  aarch64-wheels publish --dry-run                   what would go to PyPI
  aarch64-wheels publish --repository testpypi       a rehearsal
  aarch64-wheels publish --github-release v1.2.3     to PyPI and to a GitHub release

exit codes: 0 all done; 1 a target failed; 2 bad usage; 3 machine not fit; 4 publishing failed
"""

_HELP = {
    "source": "directory, sdist file or requirement such as kiwisolver==1.4.7 (default: .)",
    "python": "interpreters: cp313, 3.13, 'cp3*', all (default: what source and image share)",
    "skip": "globs of targets to leave out: 'cp39-*', '*-musllinux_*'",
    "enable": "groups that globs alone do not select: pypy, graalpy, cpython-prerelease, all",
    "test_skip": "globs of targets whose wheels are not tested",
    "image": "manylinux2014 (default), manylinux_2_28, manylinux_2_34, musllinux_1_2, "
    "debian (assembled here, no registry), or any image reference",
    "mode": "native on arm64; on x86-64 accelerated (native tools, QEMU for the rest) or emulated "
    "(everything under QEMU); auto picks the first that the machine can",
    "backend": "who runs the build backend when accelerated: a native Python that answers as the "
    "target's, or the target's own, emulated; auto tries the first, then the second",
    "compiler": "what compiles when accelerated: native clang, with the image's GCC for what it "
    "can't do (auto), the image's GCC alone, or clang alone, where anything else is an error",
    "engine": "which container engine to use; auto takes the first that answers",
    "output_dir": "where wheels, logs and report.json go (default: wheelhouse)",
    "jobs": "targets built at the same time (default: one for each core)",
    "cache_dir": "where downloads and the embedded image are kept",
    "no_cache": "make anew what the cache holds, and build environments",
    "config_file": "a TOML file with [tool.aarch64-wheels], instead of the source's",
    "dists": "wheels, sdists, and directories that hold them (default: the output directory)",
    "repository": "pypi (default), testpypi, a section of ~/.pypirc, or none for no index at all",
    "repository_url": "the URL of another index, as it takes uploads",
    "index_url": "where that index lists its files, if it is not found by itself",
    "trusted_publishing": "upload with the identity of the CI job instead of a secret; auto does "
    "so on PyPI and TestPyPI where no other secret is known",
    "attestations": "sign where the files come from (PEP 740); auto does so with Trusted "
    "Publishing on PyPI and TestPyPI",
    "allow_partial": "publish although targets have failed, or wheels are left out",
    "tag": "the release's tag, which must name the version of the files (default: the CI job's)",
    "github_release": "the tag of a GitHub release that gets the files, made if there is none; "
    "auto: the tag that the CI job runs for, if any",
    "replace": "exchange files of the GitHub release that differ",
    "comment": "keep a comment with the table of wheels on the pull request",
    "trust_config": "a private Sigstore: its ClientTrustConfig as a JSON file",
}

Handler = Callable[[argparse.Namespace, Mapping[str, str]], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit code (the table is in `errors.ExitCode`).

    Args:
        argv: the arguments, without the program's name; None takes the process's own.
    """
    signals.install()
    return guard(lambda: _run(argv), debug=False)


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = make_parser().parse_args(argv)
    finally:  # `--help` and `--version` print, and end here
        sys.stdout.flush()
    handler: Handler = arguments.handler
    return guard(lambda: handler(arguments, os.environ), debug=arguments.debug)


def guard(work: Callable[[], int], *, debug: bool) -> int:
    """Run `work`, turning our errors into their exit codes and a message on stderr.

    Args:
        work: gives an exit code.
        debug: show the traceback too.
    """
    try:
        code = work()
        sys.stdout.flush()  # here, where a reader that has gone can still be met
        return code  # noqa: TRY300 - it belongs to what is tried
    except AarchWheelsError as error:
        if debug:
            traceback.print_exc()
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except signals.Terminated:
        print("terminated: no container is left, and what was published stays", file=sys.stderr)
        return 128 + signal.SIGTERM
    except KeyboardInterrupt:
        print("interrupted: no container is left, and what was published stays", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:  # the reader (`| head`) has gone, and must not be met at exit again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:  # noqa: BLE001 - a traceback is for those who ask
        if debug:
            traceback.print_exc()
        print(f"internal error: {type(error).__name__}: {one_line(str(error))}", file=sys.stderr)
        print("next: run again with --debug, and report what it shows", file=sys.stderr)
        return ExitCode.TARGET_FAILED


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="aarch64-wheels",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_build(_command(commands, "build", "build, repair and audit wheels", _build))
    _add_plan(_command(commands, "plan", "show what would be built; needs no engine", _plan))
    _add_audit(_command(commands, "audit", "check wheels against what they claim", _audit))
    _add_image(_command(commands, "image", "list images, build the embedded one", _image))
    _add_publish(_command(commands, "publish", "publish finished wheels", _publish))
    _add_doctor(_command(commands, "doctor", "check this machine, and make it fit", _doctor))
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    handler: Handler,
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
    parser.set_defaults(handler=handler)
    return parser


def _add_settings(parser: argparse.ArgumentParser, rows: Iterable[Option]) -> None:
    for option in rows:
        _add_option(parser, option)


def _add_option(parser: argparse.ArgumentParser, option: Option) -> None:
    text = _HELP[option.field].replace("%", "%%")
    if not option.flag.startswith("-"):
        number = "*" if option.many else "?"
        parser.add_argument(option.field, nargs=number, metavar=option.flag, help=text)
    elif option.kind is SWITCH:
        parser.add_argument(f"--{option.name}", action="store_true", default=None, help=text)
    elif option.many:
        parser.add_argument(f"--{option.name}", nargs="+", metavar="SEL", help=text)
    else:
        parser.add_argument(
            f"--{option.name}",
            choices=option.choices or None,
            metavar=_metavar(option),
            help=text,
        )


def _metavar(option: Option) -> str:
    return "|".join(option.choices) or option.name.rpartition("-")[2].upper()


def _add_build(parser: argparse.ArgumentParser) -> None:
    _add_settings(parser, options())
    parser.add_argument("--dry-run", action="store_true", help="show the plan, build nothing")
    parser.add_argument("--verbose", "-v", action="store_true", help="show all output as it comes")


def _add_plan(parser: argparse.ArgumentParser) -> None:
    _add_settings(parser, options())
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the whole plan as JSON")
    form.add_argument("--matrix", action="store_true", help="a GitHub Actions matrix as JSON")


def _add_audit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("wheels", nargs="+", type=Path, metavar="WHEEL")
    parser.add_argument("--plat", metavar="TAG", help="a tag to meet, as manylinux2014_aarch64")
    parser.add_argument("--json", action="store_true", help="the findings as JSON")


def _add_image(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    listing = actions.add_parser("list", help="the images known by name")
    listing.add_argument("--json", action="store_true", help="as JSON")
    build = actions.add_parser("build", help="assemble the embedded image")
    build.add_argument("name", choices=["debian"], help="the embedded image's name")
    build.add_argument("--cache-dir", metavar="DIR", help=_HELP["cache_dir"])
    build.add_argument("--no-cache", action="store_true", default=None, help=_HELP["no_cache"])
    build.add_argument("--engine", choices=["auto", "docker", "podman"], help=_HELP["engine"])
    text = "assemble anew if the Debian suites have changed since"
    build.add_argument("--refresh", action="store_true", help=text)
    _add_accelerate(actions)


def _add_accelerate(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "make an image with native tools, for cibuildwheel or a Dockerfile's FROM"
    accelerate = actions.add_parser("accelerate", help=text)
    accelerate.add_argument("reference", metavar="REF", help="an aarch64 image")
    accelerate.add_argument("--tag", required=True, metavar="TAG", help="the new image's name")
    accelerate.add_argument("--engine", choices=["auto", "docker", "podman"], help=_HELP["engine"])
    bundle = actions.add_parser("bundle", help="export the native tools, for the Dockerfile")
    bundle.add_argument("directory", type=Path, metavar="DIR", help="where to put them")
    for parser in (accelerate, bundle):
        parser.add_argument("--cache-dir", metavar="DIR", help=_HELP["cache_dir"])


def _add_publish(parser: argparse.ArgumentParser) -> None:
    _add_settings(parser, options(PublishSettings))
    parser.add_argument("--dry-run", action="store_true", help="show the plan, send nothing")
    parser.add_argument("--json", action="store_true", help="the plan as JSON")


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fix", action="store_true", help="install and start what is missing")
    parser.add_argument("--json", action="store_true", help="the checks as JSON")
    parser.add_argument("--cache-dir", metavar="DIR", help=_HELP["cache_dir"])
    parser.add_argument("--output-dir", metavar="DIR", help=_HELP["output_dir"])


def _flags(arguments: argparse.Namespace, kind: type = Settings) -> dict[str, object]:
    """Pick the settings among the arguments; None where a flag was not given."""
    found = {row.field: getattr(arguments, row.field, None) for row in options(kind)}
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in found.items()
    }


# Each command's module is imported when it is run: `--help` and `audit` need no engine library.


def _build(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from aarch64_wheels.commands.build import run_build
    from aarch64_wheels.commands.plan import run_plan
    from aarch64_wheels.report.observer import make_observer
    from aarch64_wheels.settings.layers import load

    layers = load(_flags(arguments), environ)
    if arguments.dry_run:
        return run_plan(layers, environ)
    observer = make_observer(environ, verbose=arguments.verbose)
    try:
        code, _ = run_build(layers, environ, observer)
    finally:
        observer.close()
    return code


def _plan(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from aarch64_wheels.commands.plan import run_plan
    from aarch64_wheels.settings.layers import load

    layers = load(_flags(arguments), environ)
    return run_plan(layers, environ, as_json=arguments.json, as_matrix=arguments.matrix)


def _audit(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    from aarch64_wheels.audit import run_audit

    return run_audit(arguments.wheels, arguments.plat, as_json=arguments.json)


def _image(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from aarch64_wheels.commands.accelerate import run_accelerate, run_bundle
    from aarch64_wheels.commands.image import run_build_image, run_list_images
    from aarch64_wheels.settings.layers import load

    if arguments.action == "list":
        return run_list_images(environ, as_json=arguments.json)
    settings = load(_flags(arguments), environ).settings()
    if arguments.action == "accelerate":
        reference, tag = arguments.reference, arguments.tag
        return run_accelerate(settings, environ, reference=reference, tag=tag)
    if arguments.action == "bundle":
        return run_bundle(settings, environ, directory=arguments.directory)
    return run_build_image(settings, environ, refresh=arguments.refresh)


def _publish(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from aarch64_wheels.settings.layers import load

    settings = load(_flags(arguments, PublishSettings), environ).publishing()
    try:
        from aarch64_wheels.commands.publish import run_publish
        from aarch64_wheels.publish.teller import job_teller
    except ModuleNotFoundError as error:
        raise UnfitError(
            "publishing needs packages that are not installed",
            found=f"there is no {error.name}",
            hint='install "aarch64-wheels[publish]"',
        ) from None
    teller = job_teller(environ)
    return run_publish(settings, environ, teller, dry_run=arguments.dry_run, as_json=arguments.json)


def _doctor(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from aarch64_wheels.doctor import run_doctor
    from aarch64_wheels.settings.layers import load

    settings = load(_flags(arguments), environ).settings()
    return run_doctor(
        fix=arguments.fix,
        as_json=arguments.json,
        cache_dir=settings.cache_dir,
        output_dir=settings.output_dir,
        environ=environ,
        engine_name=settings.engine,
        embedded=True,
    )
