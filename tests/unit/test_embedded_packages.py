"""What apt in the embedded image is told: what is there, where more is, and what must stay."""

from __future__ import annotations

import re
import subprocess
from importlib import resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.embedded.packages import install_apt, share_local
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.processes import Processes

if TYPE_CHECKING:
    from pathlib import Path

SYSROOT = PurePosixPath("/opt/gcc-10")

#: Answers with the name that the file begins with, and keeps which fields it was asked for.
DPKG_DEB = r"""#!/bin/sh
set -eu
name=${2##*/}
if [ "$1" = --fsys-tarfile ]; then
    exec tar --create --directory="${2%/*}/../files" .
fi
[ "$1" = --field ]
case $name in bad_*) echo "not a Debian archive" >&2; exit 2 ;; esac
shift 2
printf 'Package: %s\nVersion: 1\nArchitecture: arm64\n' "${name%%_*}"
case $name in lib*) echo 'Multi-Arch: same' ;; esac
printf 'Description: asked for %s\n' "$*"
"""


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the packages of the system and of the sysroot are; a `dpkg-deb` that reads them."""
    write_script(tmp_path / "bin/dpkg-deb", DPKG_DEB)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    for name in ("system/make_4", "system/libssl3_3", "system/zlib1g_1", "system/libtool_2"):
        _deb(tmp_path / name)
    for name in ("sysroot/libc6_2.31", "sysroot/gcc-10_10.2"):
        _deb(tmp_path / name)
    for name in ("lib/libc.so.6", "usr/lib/libm.so", "etc/binary"):
        (tmp_path / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "files" / name).touch()
    source = "deb [signed-by=/some/key.gpg] http://mirror.example/debian bullseye main\n"
    (tmp_path / "sysroot/source").write_text(source)
    return tmp_path


def _deb(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.with_name(f"{path.name}_arm64.deb").touch()


@pytest.fixture
def root(fetched: Path) -> Path:
    """An image's root, after apt was installed there."""
    root = fetched / "root"
    for name in ("apt.conf.d/70debconf", "sources.list.d/debian.sources"):
        path = root / "etc/apt" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    _install(fetched)
    return root


def _install(fetched: Path) -> None:
    system, sysroot = fetched / "system", fetched / "sysroot"
    root = fetched / "root"
    install_apt(root, SYSROOT, system=system, compiled_against=sysroot, processes=Processes())


def test_apt_knows_the_sysroot_and_the_systems_programs_but_not_its_libraries(root: Path) -> None:
    status = (root / "var/lib/dpkg/status").read_text()
    records = status.strip().split("\n\n")
    assert sorted(record.splitlines()[0] for record in records) == [
        "Package: gcc-10",
        "Package: libc6",
        "Package: libtool",
        "Package: make",
    ]
    assert all(record.splitlines()[-1] == "Status: install ok installed" for record in records)
    assert status.endswith("\n\n")  # or the first package installed would join the last record


def test_dpkg_knows_the_files_of_the_sysroot_by_their_places(root: Path) -> None:
    lists = {path.name: path for path in (root / "var/lib/dpkg/info").glob("*.list")}
    assert sorted(lists) == ["gcc-10.list", "libc6:arm64.list"]
    for path in lists.values():
        assert sorted(path.read_text().splitlines()) == [
            *("/.", "/etc", "/etc/binary", "/lib", "/usr", "/usr/lib", "/usr/lib/libc.so.6"),
            "/usr/lib/libm.so",
        ]


def test_what_is_declared_has_no_dependencies_to_mend(root: Path) -> None:
    asked = set((root / "var/lib/dpkg/status").read_text().split())
    assert {"Provides", "Multi-Arch"} <= asked
    assert not {"Depends", "Pre-Depends", "Conflicts", "Breaks"} & asked


def test_more_comes_from_the_sysroots_suite_and_is_verified(root: Path) -> None:
    line = (root / "etc/apt/sources.list").read_text()
    assert re.fullmatch(
        r"deb \[signed-by=/usr/share/\S+\.gpg] http://mirror\.example/debian bullseye main\n", line
    )
    assert not (root / "etc/apt/sources.list.d").exists()
    configuration = (root / "etc/apt/apt.conf.d/90embedded").read_text()
    assert "AllowUnauthenticated" not in configuration + line
    assert 'Dir::Bin::dpkg "/usr/local/bin/dpkg"' in configuration
    assert not (root / "etc/apt/apt.conf.d/70debconf").exists()


def test_what_is_there_is_never_replaced(root: Path) -> None:
    package, pin, priority = (root / "etc/apt/preferences.d/embedded").read_text().splitlines()
    assert set(package.removeprefix("Package: ").split()) == {"gcc-10", "libc6", "libtool", "make"}
    assert (pin, priority) == ("Pin: release n=bullseye", "Pin-Priority: -1")


@pytest.mark.parametrize("name", ["apt", "apt-get", "dpkg"])
def test_the_programs_are_scripts_that_a_shell_takes(root: Path, name: str) -> None:
    script = root / "usr/local/bin" / name
    assert script.stat().st_mode & 0o111 == 0o111
    assert "@" not in re.sub(r'"?\$@"?', "", script.read_text())
    subprocess.run(["/bin/sh", "-n", script], check=True)


def test_the_sysroot_of_the_script_is_the_recipes(root: Path) -> None:
    text = (root / "usr/local/bin/dpkg").read_text()
    assert "sysroot=/opt/gcc-10\n" in text
    assert "libraries=usr/lib/aarch64-linux-gnu\n" in text


#: Packages with no files and no scripts, whose records are what the archives hold.
RECORDED = r"""#!/bin/sh
set -eu
case $1 in
    --field) cat "$2" ;;
    *) tar --create --files-from=/dev/null ;;
esac
"""


@pytest.mark.parametrize(
    ("architecture", "multi_arch", "name"),
    [
        (
            "all",
            "foreign",
            "a",
        ),  # apt waits for `a:arm64`, and so takes a bare name, but no `a:all`
        ("all", "", "a"),
        ("arm64", "foreign", "a"),
        ("arm64", "same", "a:arm64"),
    ],
)
def test_apt_is_told_of_each_package_by_the_name_that_dpkg_gives_it(
    root: Path, architecture: str, multi_arch: str, name: str
) -> None:
    write_script(root.parent / "bin/dpkg-deb", RECORDED)
    fields = {"Package": "a", "Version": "1", "Architecture": architecture}
    fields |= {"Multi-Arch": multi_arch} if multi_arch else {}
    (root / "a.deb").write_text("".join(f"{key}: {value}\n" for key, value in fields.items()))
    said = _unpack(root, root / "a.deb")
    assert [line for line in said if line.startswith("status:")] == [
        f"status: {name}: {state}"
        for state in ("half-installed", "unpacked", "half-configured", "installed")
    ]
    assert (root / f"var/lib/dpkg/info/{name}.list").is_file()
    assert "Package: a\nStatus: install ok installed\n" in _status(root)


def _unpack(root: Path, deb: Path) -> list[str]:
    """Run the script as apt does, with its database in `root`, but have it place nothing."""
    text = (root / "usr/local/bin/dpkg").read_text()
    functions, separator, _rest = text.partition("\nfound=\n")
    assert separator
    (root / "opt/gcc-10").mkdir(parents=True)
    moved = functions.replace("sysroot=/opt", f"sysroot={root}/opt")
    moved = moved.replace("admin=/var", f"admin={root}/var")
    script = root / "unpack.sh"
    script.write_text(f'{moved}\nunpack "{deb}"\n')
    argv = ["/bin/sh", str(script), "--status-fd", "1", "--unpack", str(deb)]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()


def _status(root: Path) -> str:
    return (root / "var/lib/dpkg/status").read_text()


def test_a_package_that_cannot_be_read_is_named(fetched: Path) -> None:
    _deb(fetched / "system/bad_1")
    with pytest.raises(UnfitError, match="bad_1_arm64") as caught:
        _install(fetched)
    assert caught.value.found == "not a Debian archive"


def test_packages_of_an_unknown_mirror(fetched: Path) -> None:
    (fetched / "sysroot/source").unlink()
    with pytest.raises(UnfitError, match="which mirror") as caught:
        _install(fetched)
    assert "--no-cache" in caught.value.hint


def test_the_compilers_see_what_is_installed_below_usr_local(tmp_path: Path) -> None:
    (tmp_path / "opt/gcc-10/usr").mkdir(parents=True)
    share_local(tmp_path, SYSROOT)
    (tmp_path / "usr/local/marker").touch()
    assert (tmp_path / "opt/gcc-10/usr/local/marker").exists()
    assert not (tmp_path / "opt/gcc-10/usr/local").readlink().is_absolute()


def test_no_data_of_apt_names_a_mirror() -> None:
    data = resources.files("aarch64_wheels.data")
    for name in ("apt.conf", "apt-get.sh", "dpkg.sh"):
        assert "://" not in (data / name).read_text()
