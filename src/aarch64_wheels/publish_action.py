"""The Action's publishing step: inputs in, the same work as the command `publish`.

`action.yml` runs it after the build, as a step of its own: the secrets and the packages that it
needs are in no environment of a build.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from actions_toolkit import core

from aarch64_wheels import signals
from aarch64_wheels.action import guarded, read_flags, read_switch
from aarch64_wheels.commands.publish import run_publish
from aarch64_wheels.publish.teller import Hider, Teller
from aarch64_wheels.report.github import GitHubObserver
from aarch64_wheels.settings.layers import load
from aarch64_wheels.settings.publishing import PublishSettings

if TYPE_CHECKING:
    from collections.abc import Mapping


def main() -> int:
    """Run the publishing step; what it returns is its exit status."""
    observer = GitHubObserver(verbose=core.is_debug())
    return guarded(lambda: _run(os.environ, observer), observer)


def _run(environ: Mapping[str, str], observer: GitHubObserver) -> int:
    if not read_switch("publish", default=False):
        observer.note("nothing is published: the input `publish` is not true")
        return 0
    settings = load(read_flags(PublishSettings), environ).publishing()
    dry_run = read_switch("dry-run", default=False)
    page = environ.get("GITHUB_STEP_SUMMARY")
    return run_publish(
        settings,
        environ,
        Teller(note=observer.note, mask=Hider()),
        dry_run=dry_run,
        summary=Path(page) if page else None,
    )


if __name__ == "__main__":
    signals.install()
    sys.exit(main())
