"""The embedded image's `ensurepip`: gives a new environment the pip that the image holds.

Debian takes this module out of the standard library. `python -m venv` runs it as
`python -m ensurepip --upgrade --default-pip`, in the new environment.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from pathlib import Path

_VERSION = ".".join(str(part) for part in sys.version_info[:2])
_DIRECTORY = "cp{0}-cp{0}".format(_VERSION.replace(".", ""))
_SITE = Path("/opt/python") / _DIRECTORY / "lib" / f"python{_VERSION}" / "site-packages"
_SCRIPT = "#!{}\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n"


def _packages() -> list[Path]:
    names = sorted(path for path in _SITE.iterdir() if path.name.startswith("pip-"))
    return [_SITE / "pip", *names]


def version() -> str:
    """Return the version of the pip that would be installed."""
    return _packages()[-1].name[len("pip-") : -len(".dist-info")]


def bootstrap(**_options: object) -> None:
    """Copy pip into this environment, and write its scripts."""
    site = Path(sysconfig.get_path("purelib"))
    for package in _packages():
        shutil.copytree(package, site / package.name, dirs_exist_ok=True)
    for name in ("pip", "pip3", f"pip{_VERSION}"):
        script = Path(sysconfig.get_path("scripts")) / name
        script.write_text(_SCRIPT.format(sys.executable))
        script.chmod(0o755)


if __name__ == "__main__":
    bootstrap()
