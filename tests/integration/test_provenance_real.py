"""What a wheel and the report tell of where it comes from, against what can be seen otherwise."""

from __future__ import annotations

import getpass
import hashlib
import json
import platform
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.elf_interface import read_interface
from tests.integration.small_projects import SmallProject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from aarch64_wheels.engine.client import Engine
    from tests.integration.conftest import Run

pytestmark = pytest.mark.skipif(
    platform.machine() == "aarch64", reason="nothing is accelerated on arm64"
)

PREFIX = "aarch64-wheels:"
#: A library of the image, which is grafted, and one that it gets from a package first.
YAML = SmallProject(
    body="PyUnicode_FromString(yaml_get_version_string())",
    files={
        "small/_small.c": "",
        "setup.py": "from setuptools import Extension, setup\n"
        'setup(packages=["small"], ext_modules=[Extension("small._small", ["small/_yaml.c"],'
        ' libraries=["yaml"])])\n',
        "small/_yaml.c": "#include <Python.h>\n#include <yaml.h>\n"
        "static PyObject *value(PyObject *self, PyObject *unused)\n"
        "{ return PyUnicode_FromString(yaml_get_version_string()); }\n"
        'static PyMethodDef methods[] = {{"value", value, METH_NOARGS, NULL}, {NULL}};\n'
        "static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "
        '"_small", NULL, -1, methods};\n'
        "PyMODINIT_FUNC PyInit__small(void) { return PyModule_Create(&module); }\n",
    },
)


@dataclass(frozen=True, kw_only=True)
class Built:
    """One run of the command for CPython 3.13, and what it left in the output directory."""

    output: Path
    report: Mapping[str, Any]
    bill: Mapping[str, Any]
    members: Mapping[str, bytes]

    @property
    def facts(self) -> dict[str, str]:
        return told(self.bill["metadata"]["component"])

    @property
    def files(self) -> dict[str, Mapping[str, Any]]:
        return {row["name"]: row for row in self.bill["components"]}

    @property
    def own(self) -> Mapping[str, Any]:
        (name,) = (name for name in self.files if ".libs/" not in name)
        return self.files[name]


def told(row: Mapping[str, Any]) -> dict[str, str]:
    """The properties of a component; the last of those of one name."""
    return {one["name"].removeprefix(PREFIX): one["value"] for one in row["properties"]}


@pytest.fixture(scope="module")
def build(run: Run, debian_image: str) -> Callable[..., Built]:
    assert debian_image

    def built(project: Path, *options: str) -> Built:
        output = project.parent / "output"
        words = ("--image", "debian", "--python", "cp313", "--output-dir", output)
        done = run("build", project, *words, *options)
        assert done.returncode == 0, done.stdout + done.stderr
        (wheel,) = output.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        (text,) = (members[name] for name in members if name.endswith("/aarch64-wheels.cdx.json"))
        report = json.loads((output / "report.json").read_text(encoding="utf-8"))
        return Built(output=output, report=report, bill=json.loads(text), members=members)

    return built


@pytest.fixture(scope="module")
def small(build: Callable[..., Built], tmp_path_factory: pytest.TempPathFactory) -> Built:
    place = tmp_path_factory.mktemp("small")
    return build(SmallProject().write(place / "project"), "--sdist")


@pytest.fixture(scope="module")
def grafted(build: Callable[..., Built], tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Compiled by the image's own GCC."""
    project = YAML.write(tmp_path_factory.mktemp("grafted") / "project")
    (project / "small/_small.c").unlink()
    install = "apt-get install -y libyaml-dev"
    return build(project, "--compiler", "gcc", "--before-build", install)


def test_the_compiler_is_the_one_that_signed(small: Built) -> None:
    name, compiler = small.own["name"], told(small.own)["compiler"]
    signed = read_interface(small.members[name]).made_by
    found = re.fullmatch(r"clang (\d+\.\d+\.\d+)", compiler)
    assert found
    assert any(text.startswith(f"clang version {found[1]}") for text in signed)
    producers = {one["value"] for one in small.own["properties"] if "producer" in one["name"]}
    assert producers == signed


def test_the_image_s_compiler_is_the_one_that_signed(grafted: Built) -> None:
    signed = read_interface(grafted.members[grafted.own["name"]]).made_by
    found = re.fullmatch(r"gcc (\d+\.\d+\.\d+)", told(grafted.own)["compiler"])
    assert found
    assert any(re.match(rf"GCC: \(.*\) {re.escape(found[1])}\b", text) for text in signed)
    tools = {row["name"]: row["version"] for row in grafted.report["targets"][0]["tools"]}
    assert tools["gcc"] == found[1]


def test_hashes_are_those_of_the_files_in_the_wheel(small: Built, grafted: Built) -> None:
    for built in (small, grafted):
        objects = {name for name, data in built.members.items() if data.startswith(b"\x7fELF")}
        assert built.files.keys() == objects
        for name, row in built.files.items():
            sha256 = hashlib.sha256(built.members[name]).hexdigest()
            assert row["hashes"] == [{"alg": "SHA-256", "content": sha256}]


def test_a_grafted_library_names_the_package_that_brought_it(grafted: Built) -> None:
    (name,) = (name for name in grafted.files if ".libs/" in name)
    facts = told(grafted.files[name])
    assert facts["compiler"] == "image"
    assert re.match(r"pkg:deb/debian/libyaml-0-2@", facts["package"])
    (text,) = (grafted.members[name] for name in grafted.members if "/auditwheel.cdx" in name)
    assert facts["package"] in {row.get("purl") for row in json.loads(text)["components"]}


def test_the_image_is_the_engine_s(small: Built, shared_engine: Engine, debian_image: str) -> None:
    assert small.facts["image"] == debian_image
    assert small.facts.keys().isdisjoint({"image-id", "image-digest"})
    (image,) = small.report["images"]
    assert image == {
        "reference": debian_image.partition(":")[0],
        "id": shared_engine.image_id(debian_image),
        "digest": shared_engine.image_digest(debian_image),
    }


def test_the_source_is_what_the_sdist_was_made_from(small: Built) -> None:
    (sdist,) = small.output.glob("*.tar.gz")
    sha256 = hashlib.sha256(sdist.read_bytes()).hexdigest()
    assert small.report["sdist"]["sha256"] == sha256
    assert (small.facts["source"], small.facts["sdist"]) == ("small", sdist.name)
    assert small.facts["source-sha256"] == small.report["source_sha256"]


def test_a_directory_is_known_by_a_digest_and_the_project_s_name(grafted: Built) -> None:
    assert grafted.facts["source"] == "small"
    assert re.fullmatch("[0-9a-f]{64}", grafted.facts["source-sha256"])
    assert grafted.facts["source-sha256"] == grafted.report["source_sha256"]


def test_how_it_was_built_is_told(small: Built) -> None:
    assert (small.facts["mode"], small.facts["backend"]) == ("accelerated", "native")
    assert re.fullmatch(r"cpython 3\.13\.\d+", small.facts["interpreter"])
    tools = {row["name"]: row["version"] for row in small.bill["metadata"]["tools"]["components"]}
    assert tools.keys() >= {"aarch64-wheels", "auditwheel", "clang", "patchelf"}
    assert told(small.own)["compiler"] == f"clang {tools['clang']}"
    engine = {row["name"]: row["version"] for row in small.report["tools"]}.keys() - tools.keys()
    assert engine <= {"docker", "podman"}


def test_the_report_has_the_same_of_each_object(small: Built, grafted: Built) -> None:
    for built in (small, grafted):
        rows = {row["path"]: row for row in built.report["targets"][0]["wheel"]["objects"]}
        assert rows.keys() == built.files.keys()
        for name, row in rows.items():
            assert row["sha256"] == built.files[name]["hashes"][0]["content"]
            assert row["package"] == told(built.files[name]).get("package", "")


def test_nothing_tells_of_this_machine(small: Built, grafted: Built) -> None:
    names = (getpass.getuser(), platform.node(), str(small.output.parent))
    for built in (small, grafted):
        values = [*built.facts.values()]
        values += [one for row in built.files.values() for one in told(row).values()]
        for word in names:
            assert not any(re.search(rf"\b{re.escape(word)}\b", value) for value in values)


def test_the_finished_wheel_keeps_its_promises(run: Run, grafted: Built) -> None:
    """The bill got into it after the audit."""
    (wheel,) = grafted.output.glob("*.whl")
    done = run("audit", wheel)
    assert done.returncode == 0, done.stdout + done.stderr
