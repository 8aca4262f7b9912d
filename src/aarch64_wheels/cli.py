"""The command line: runs what `arguments` has parsed; the only place that catches our errors."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence

from aarch64_wheels import signals
from aarch64_wheels.arguments import make_parser
from aarch64_wheels.errors import AarchWheelsError, ExitCode, UnfitError, UsageError
from aarch64_wheels.settings.publishing import PublishSettings
from aarch64_wheels.settings.schema import BuildOptions, Settings, options
from aarch64_wheels.text import one_line

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
    handler = _HANDLERS[arguments.command]
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


def _flags(arguments: argparse.Namespace, *kinds: type) -> dict[str, object]:
    """Pick the settings among the arguments; None where a flag was not given."""
    rows = [row for kind in kinds or (Settings, BuildOptions) for row in options(kind)]
    found = {row.field: getattr(arguments, row.field, None) for row in rows}
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


def _audit(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from aarch64_wheels.audit.catalogue import Levels
    from aarch64_wheels.commands.audit import Order, run_audit, run_explain
    from aarch64_wheels.settings.layers import load

    _check_audit(arguments)
    if arguments.explain is not None:
        return run_explain(arguments.explain)
    settings = load(_flags(arguments), environ).settings()
    run = None
    if arguments.run:
        from aarch64_wheels.commands.audit_run import RunOptions

        image = arguments.image or RunOptions.image
        run = RunOptions(
            cache_dir=settings.cache_dir, image=image, engine=settings.engine, environ=environ
        )
    order = Order(
        paths=arguments.wheels,
        plat=arguments.plat,
        levels=Levels.parse(settings.audit_levels),
        as_json=arguments.json,
        sarif=arguments.sarif,
        run=run,
    )
    return run_audit(order, environ)


def _check_audit(arguments: argparse.Namespace) -> None:
    """Refuse arguments that would be left unused."""
    if arguments.explain is not None and arguments.wheels:
        hint = "leave out one of them; a check's name follows --explain"
        raise UsageError("--explain takes no wheels: it audits nothing", hint=hint)
    for flag in ("--image", "--engine", "--cache-dir"):
        given = getattr(arguments, flag[2:].replace("-", "_")) is not None
        if given and not arguments.run:
            raise UsageError(f"{flag} is for --run alone", hint=f"add --run, or leave {flag} out")


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


_HANDLERS: Mapping[str, Handler] = {
    "build": _build,
    "plan": _plan,
    "audit": _audit,
    "image": _image,
    "publish": _publish,
    "doctor": _doctor,
}
