"""Libraries and programs that a project installs by apt in the embedded image.

They need not only be there: what is compiled against them is grafted, and works where they are not.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.engine.spec import ContainerSpec
from tests.integration.suites import INTERPRETER, install_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aarch64_wheels.engine.client import Engine
    from aarch64_wheels.engine.container import ContainerSession
    from tests.integration.conftest import Run

#: As projects write it that are built in images of many kinds.
INSTALL = (
    "yum install -y libyaml-devel || apk add --upgrade yaml-dev"
    " || apt-get install -y libyaml-dev liblzma-dev"
)

PYPROJECT = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "sheaf"
version = "1.0"

[tool.setuptools]
packages = []
ext-modules = [{ name = "sheaf", sources = ["sheaf.c"], libraries = ["yaml", "lzma", "ffi"] }]
"""

#: liblzma is one that the system has too, newer and asking for a newer glibc, by the same name.
SHEAF = """
#include <Python.h>
#include <ffi.h>
#include <lzma.h>
#include <yaml.h>

static PyObject *versions(PyObject *self, PyObject *none)
{
    ffi_cif cif;
    ffi_type *words[] = { &ffi_type_sint };
    int ready = ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 1, &ffi_type_sint, words) == FFI_OK;
    return Py_BuildValue("ssi", yaml_get_version_string(), lzma_version_string(), ready);
}

static PyMethodDef methods[] = { { "versions", versions, METH_NOARGS, NULL }, { NULL } };
static struct PyModuleDef module = { PyModuleDef_HEAD_INIT, "sheaf", NULL, -1, methods };
PyMODINIT_FUNC PyInit_sheaf(void) { return PyModule_Create(&module); }
"""


@pytest.fixture
def sheaf(tmp_path: Path) -> Path:
    project = tmp_path / "sheaf"
    project.mkdir()
    (project / "pyproject.toml").write_text(PYPROJECT)
    (project / "sheaf.c").write_text(SHEAF)
    return project


@pytest.fixture(scope="module")
def session(shared_engine: Engine, debian_image: str) -> Iterator[ContainerSession]:
    """A container of the image that several tests install into."""
    with shared_engine.start_session(debian_image, ContainerSpec(emulated=True)) as session:
        yield session


@pytest.fixture(scope="module")
def equipped(session: ContainerSession) -> ContainerSession:
    """Install the libraries that most projects ask for; nobody answers a question."""
    names = ("libffi-dev", "zlib1g-dev", "libssl-dev", "libxml2-dev", "libxslt1-dev")
    session.capture(["apt-get", "install", *names, "libjpeg-dev", "libsqlite3-dev"])
    return session


@pytest.mark.parametrize(
    "how", [("--compiler", "auto"), ("--compiler", "gcc"), ("--mode", "emulated")], ids=" ".join
)
def test_a_wheel_takes_installed_libraries_along(
    run: Run,
    sheaf: Path,
    how: tuple[str, str],
    shared_engine: Engine,
    debian_image: str,
    tmp_path: Path,
) -> None:
    options = ("--image", "debian", "--python", "cp313", *how)
    output = tmp_path / "wheelhouse"
    done = run("build", sheaf, *options, "--before-build", INSTALL, "--output-dir", output)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = output.glob("*manylinux2014_aarch64*.whl")
    with zipfile.ZipFile(wheel) as archive:
        grafted = {name.partition(".libs/")[2] for name in archive.namelist()}
        bill = json.loads(archive.read("sheaf-1.0.dist-info/sboms/auditwheel.cdx.json"))
    assert {name.partition("-")[0] for name in grafted if name} == {"libyaml", "liblzma", "libffi"}
    packages = {row["purl"].partition("@")[0] for row in bill["components"]}
    assert packages - {"pkg:pypi/sheaf"} == {
        f"pkg:deb/debian/{name}" for name in ("libffi7", "liblzma5", "libyaml-0-2")
    }
    with shared_engine.start_session(debian_image, ContainerSpec(emulated=True)) as clean:
        install_wheel(clean, wheel, PurePosixPath("/grafted/site"))
        code = "import sheaf; print(*sheaf.versions())"
        said = clean.capture(["env", "PYTHONPATH=/grafted/site", INTERPRETER, "-c", code])
    assert said.split() == ["0.2.2", "5.2.5", "1"]


def test_the_usual_libraries_are_found_and_the_system_stays_as_it_was(
    equipped: ContainerSession,
) -> None:
    flags = equipped.capture(
        ["pkg-config", "--cflags", "--libs", "libxml-2.0", "libffi", "openssl"]
    )
    assert flags.split() == ["-I/usr/include/libxml2", *["-lxml2", "-lffi", "-lssl", "-lcrypto"]]
    assert equipped.capture(["xml2-config", "--cflags"]).split() == ["-I/usr/include/libxml2"]
    for program in ("git", "curl", "xz"):
        equipped.capture([program, "--version"])
    imports = "import ssl, sqlite3, zlib, lzma, ctypes; print(ssl.OPENSSL_VERSION)"
    assert equipped.capture([INTERPRETER, "-c", imports]).split()[1] >= "3"


LINKED = """
#include <stdio.h>
#include <jpeglib.h>
#include <libxml/parser.h>
#include <openssl/ssl.h>
#include <sqlite3.h>
#include <zlib.h>
int main(void)
{
    struct jpeg_error_mgr errors;
    return !(jpeg_std_error(&errors) && zlibVersion() && sqlite3_libversion()
             && OPENSSL_init_ssl(0, 0) && xmlReadMemory("<a/>", 4, "a", 0, 0));
}
"""


def test_programs_are_linked_with_them_and_run(equipped: ContainerSession) -> None:
    """Also with explicit directories, as setup scripts of old give them."""
    source = PurePosixPath("/linked/a.c")
    equipped.write(source, LINKED.encode())
    words = "-I/usr/include/libxml2 -L/usr/lib/aarch64-linux-gnu -lxml2 -lssl -ljpeg -lsqlite3 -lz"
    equipped.capture(["gcc", source, "-o", source.with_suffix(""), *words.split()])
    equipped.capture([source.with_suffix("")])


def test_a_blas_has_its_alternatives(session: ContainerSession) -> None:
    session.capture(["apt-get", "install", "-qq", "-y", "libblas-dev"])
    source = PurePosixPath("/blas/a.c")
    session.write(
        source,
        b"double dasum_(int *, double *, int *); int main(void)"
        b"{ double x[] = {3, -4}; int n = 2, i = 1; return dasum_(&n, x, &i) != 7; }",
    )
    session.capture(["gcc", source, "-o", source.with_suffix(""), "-lblas"])
    session.capture([source.with_suffix("")])


@pytest.mark.parametrize("program", ["ninja", "bison", "flex"])
def test_programs_find_what_they_bring(session: ContainerSession, program: str) -> None:
    package = {"ninja": "ninja-build"}.get(program, program)
    session.capture(["apt-get", "install", "-y", package])
    assert session.capture([program, "--version"])
    grammar = PurePosixPath(f"/{program}/a.y")
    session.write(grammar, b"%%\nall: 'a';\n%%\n")
    if program == "bison":  # reads its skeletons below /usr/share
        session.capture(["bison", "-o", grammar.with_suffix(".c"), grammar])


def test_the_compiler_and_its_glibc_stay(session: ContainerSession) -> None:
    before = session.capture(["sha256sum", "/opt/gcc-10/lib/aarch64-linux-gnu/libc-2.31.so"])
    said = session.capture(
        ["apt-get", "install", "-y", "build-essential", "libc6-dev", "pkg-config"]
    )
    assert "libc6-dev is already the newest version" in said
    assert session.capture(["sha256sum", before.split()[1]]) == before
    assert "--sysroot=/opt/gcc-10" in session.capture(["cat", "/usr/bin/gcc"])
    session.capture(["sh", "-c", "! ls /usr/lib/aarch64-linux-gnu/libm.so /usr/include/stdio.h"])


def test_removal_is_refused_with_a_reason(session: ContainerSession) -> None:
    said = session.capture(["sh", "-c", "apt-get remove -y libyaml-dev make 2>&1 || echo refused"])
    assert "cannot be removed in this image" in said
    assert said.split()[-1] == "refused"
    session.capture(["make", "--version"])


def test_a_package_that_does_not_exist_is_named(session: ContainerSession) -> None:
    said = session.capture(["sh", "-c", "apt-get install -y libnowhere-dev 2>&1 || echo refused"])
    assert "libnowhere-dev" in said
    assert said.split()[-1] == "refused"


def test_what_is_built_into_usr_local_is_seen_by_the_compilers(session: ContainerSession) -> None:
    session.write(PurePosixPath("/usr/local/include/mine.h"), b"#define MINE 7\n")
    source = PurePosixPath("/mine/a.c")
    session.write(source, b"#include <mine.h>\nint mine[MINE];\n")
    session.capture(["gcc", "-c", source, "-o", source.with_suffix(".o")])
