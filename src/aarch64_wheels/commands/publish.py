"""`publish`: finished wheels to an index and to a GitHub release. All is planned, then done."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.audit.catalogue import Levels
from aarch64_wheels.errors import ExitCode, UsageError
from aarch64_wheels.publish import checks, render
from aarch64_wheels.publish.assets import make_assets
from aarch64_wheels.publish.built import check_reports, find_reports
from aarch64_wheels.publish.comment import keep_comment, pull_request_number
from aarch64_wheels.publish.distributions import find_distributions
from aarch64_wheels.publish.github import open_github
from aarch64_wheels.publish.patience import Patience
from aarch64_wheels.publish.publication import Publication
from aarch64_wheels.publish.release import Release
from aarch64_wheels.report.console import make_console

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from github.Repository import Repository

    from aarch64_wheels.publish.asset_files import AssetFile
    from aarch64_wheels.publish.distributions import Distribution
    from aarch64_wheels.publish.plan import IndexPlan
    from aarch64_wheels.publish.release import ReleasePlan
    from aarch64_wheels.publish.teller import Teller
    from aarch64_wheels.settings.publishing import PublishSettings

#: `--repository none`: no index at all.
_NO_INDEX = "none"
#: `--github-release auto`.
_OWN_TAG = "auto"


def run_publish(
    settings: PublishSettings,
    environ: Mapping[str, str],
    teller: Teller,
    *,
    dry_run: bool = False,
    as_json: bool = False,
    summary: Path | None = None,
) -> int:
    """Publish what was built.

    Args:
        settings: what, where, how.
        environ: credentials, and what the CI job says of itself.
        teller: told what is done.
        dry_run: print the plan, send nothing.
        as_json: print the plan as JSON.
        summary: gets the plan as Markdown, at its end, and what was done.

    Raises:
        UsageError: there is nothing to publish, or nowhere, or a name leads nowhere.
        PublishError: it must not be published, or could not be.
    """
    settings = _with_tag(settings, environ)
    if not dry_run:
        _require_destination(settings)
    named = [Path(one) for one in settings.dists] or [settings.output_dir]
    files = find_distributions(named, teller.note)
    places = find_reports(files, settings.output_dir, teller.note)
    checks.require_fit(_findings(settings, files, environ, places))
    with tempfile.TemporaryDirectory(prefix="aarch64-wheels-") as scratch, ExitStack() as stack:
        work = _open(settings, files, environ, teller, stack)
        if work.release:
            work = replace(work, assets=make_assets(files, places, Path(scratch)))
        plans = work.plan()
        _show(files, plans, environ, as_json=as_json)
        page = render.Page(path=summary, note=teller.note)
        kind = "plan (dry run)" if dry_run else "plan"
        page.write(render.as_markdown(files, plans.index, plans.release, kind=kind))
        if not dry_run:
            work.publish(plans, page.tell)
    return ExitCode.OK


def _with_tag(settings: PublishSettings, environ: Mapping[str, str]) -> PublishSettings:
    """Resolve `--github-release auto`: the tag that the job runs for, or no release."""
    if settings.github_release != _OWN_TAG:
        return settings
    return replace(settings, github_release=_pushed_tag(environ))


def _require_destination(settings: PublishSettings) -> None:
    if not (_has_index(settings) or settings.github_release or settings.comment):
        raise UsageError(
            "there is nowhere to publish to",
            found=f"--repository {_NO_INDEX}, and neither --github-release nor --comment",
            hint="name a place, or check the files alone with --dry-run",
        )


def _has_index(settings: PublishSettings) -> bool:
    return settings.repository != _NO_INDEX or bool(settings.repository_url)


@dataclass(frozen=True, kw_only=True)
class _Plans:
    """What is to be done, in each place that gets something."""

    index: IndexPlan | None
    release: ReleasePlan | None


@dataclass(frozen=True, kw_only=True)
class _Work:
    """One release's files, and where they go; what is None or 0 gets nothing."""

    files: Sequence[Distribution]
    publication: Publication | None
    release: Release | None
    repository: Repository | None
    commented: int
    patience: Patience
    assets: Sequence[AssetFile] = ()

    def plan(self) -> _Plans:
        """Compare with what is there, everywhere, before anything is sent anywhere."""
        return _Plans(
            index=self.publication.plan() if self.publication else None,
            release=self.release.plan(self.assets) if self.release else None,
        )

    def publish(self, plans: _Plans, tell: Callable[[str], None]) -> None:
        """Do it. The index is first: what it has taken cannot be taken back.

        Args:
            plans: what is to be done.
            tell: told the outcome at each place.
        """
        if self.publication and plans.index:
            self.publication.publish(plans.index)
            tell(f"published: {len(self.files)} files on {plans.index.destination}")
        if self.release and plans.release:
            self.release.publish(plans.release)
            # Not "published": a maintainer's draft stays one.
            tell(f"done: {len(self.assets)} files in the release {plans.release.tag}")
        if self.repository and self.commented:
            text = render.as_markdown(self.files, None, None)
            keep_comment(
                self.repository,
                self.commented,
                text,
                self.patience,
                project=self.files[0].project,
            )
            tell(f"done: the table of files is on pull request {self.commented}")


def _open(
    settings: PublishSettings,
    files: Sequence[Distribution],
    environ: Mapping[str, str],
    teller: Teller,
    stack: ExitStack,
) -> _Work:
    """Find the places that get something; nothing is sent."""
    publication = None
    if _has_index(settings):
        publication = Publication.open(settings, files, environ, teller)
        checks.require_fit([*checks.check_public(files, publication.access.destination.url)])
    repository, patience = None, Patience(note=teller.note)
    if settings.github_release or settings.comment:
        repository = stack.enter_context(open_github(environ, teller.mask, patience))
    return _Work(
        files=files,
        publication=publication,
        release=_release(settings, files, repository, environ, patience),
        commented=pull_request_number(environ) if settings.comment else 0,
        repository=repository,
        patience=patience,
    )


def _show(
    files: Sequence[Distribution], plans: _Plans, environ: Mapping[str, str], *, as_json: bool
) -> None:
    if as_json:
        print(render.as_json(files, plans.index, plans.release), end="")
    else:
        table = render.as_table(files, plans.index, plans.release)
        make_console(sys.stdout, environ).print(table)
    sys.stdout.flush()  # a reader that has gone ends it here, before anything is sent


def _findings(
    settings: PublishSettings,
    files: Sequence[Distribution],
    environ: Mapping[str, str],
    places: Sequence[Path],
) -> list[checks.Finding]:
    """Collect what speaks against it: all of it, so that all can be mended at once."""
    tag = settings.tag or settings.github_release or _pushed_tag(environ)
    found = [*checks.check_tag(files, tag)]
    found += check_reports(files, places, allow_partial=settings.allow_partial)
    levels = Levels.parse(settings.audit_levels)
    for one in files:
        found += [*checks.check_metadata(one), *checks.check_audit(one, levels)]
    return found


def _pushed_tag(environ: Mapping[str, str]) -> str:
    """Give the tag that a CI job runs for: pushed, or of a release."""
    is_tag = environ.get("GITHUB_REF_TYPE") == "tag"
    return environ.get("GITHUB_REF_NAME", "") if is_tag else ""


def _release(
    settings: PublishSettings,
    files: Sequence[Distribution],
    repository: Repository | None,
    environ: Mapping[str, str],
    patience: Patience,
) -> Release | None:
    if repository is None or not settings.github_release:
        return None
    return Release(
        repository=repository,
        tag=settings.github_release,
        note=patience.note,
        replace=settings.replace,
        prerelease=files[0].version.is_prerelease,
        commit=environ.get("GITHUB_SHA", ""),
        patience=patience,
    )
