"""The settings of publishing. No secret is among them: those stay where they came from."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path

from aarch64_wheels.settings import kinds


class TrustedPublishing(enum.StrEnum):
    """Whether to upload with tokens that the CI's identity (OIDC) is exchanged for.

    `auto` does so on PyPI and TestPyPI where no other secret is known.
    """

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Attestations(enum.StrEnum):
    """Whether to upload signed statements of where files come from (PEP 740).

    `auto` does so with Trusted Publishing on PyPI and TestPyPI.
    """

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True)
class PublishSettings:
    """Everything that publishing depends on and a user can choose.

    Attributes:
        dists: files and directories; empty: the output directory.
        output_dir: where wheels and `report.json` are.
        repository: `pypi`, `testpypi`, a section of `.pypirc`, or `none` for no index at all.
        repository_url: an index by its URL for uploads, instead.
        index_url: where it lists its files (PEP 503), if that cannot be guessed.
        trusted_publishing: `auto`, `always` or `never`.
        attestations: `auto`, `always` or `never`.
        allow_partial: publish although targets have failed.
        tag: the release's tag, to be compared with the version; empty: that of the CI job.
        github_release: the tag of a GitHub release that gets the files as assets; `auto`: the tag
            that the CI job runs for, if any.
        replace: exchange assets of the release that differ.
        comment: keep a comment with the table of wheels on the pull request.
        trust_config: of a private Sigstore (ClientTrustConfig, JSON); the public one if not given.
        audit_levels: of the audit's checks, as for a build: files are audited before they are sent.
        config_file: a TOML file read instead of the `pyproject.toml` of this directory.
    """

    dists: tuple[str, ...] = ()
    output_dir: Path = Path("wheelhouse")
    repository: str = "pypi"
    # A URL may hold a password.
    repository_url: str = field(default="", repr=False)
    index_url: str = field(default="", repr=False)
    trusted_publishing: TrustedPublishing = TrustedPublishing.AUTO
    attestations: Attestations = Attestations.AUTO
    allow_partial: bool = False
    tag: str = ""
    github_release: str = ""
    replace: bool = False
    comment: bool = False
    trust_config: Path | None = None
    audit_levels: tuple[str, ...] = field(default=(), metadata={"kind": kinds.LEVELS})
    config_file: Path | None = None
