"""Checksums, bill of materials and report, as a release gets them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.assets import CHECKSUMS, make_assets
from aarch64_wheels.publish.distributions import Distribution, find_distributions
from aarch64_wheels.publish.sbom import render_sbom
from aarch64_wheels.report.writer import FILE_NAME
from tests.standins.samples import make_wheel
from tests.unit.publish_samples import WHEEL, make_aarch64, make_sdist, named, write_built

URL = "pkg:pypi/demo@1.0"
ITSELF = {"type": "library", "name": "demo", "version": "1.0", "bom-ref": "pkg:pypi/demo@1.0?x"}
#: As auditwheel writes it: the wheel is among the components.
LIBRARY = {
    "type": "library",
    "name": "zlib",
    "version": "1.2.7",
    "purl": "pkg:rpm/centos/zlib@1.2.7",
    "bom-ref": "pkg:rpm/centos/zlib@1.2.7#0123",
}


def _bill(*components: object, **more: object) -> str:
    bill = {"metadata": {"component": ITSELF}, "components": [ITSELF, *components]}
    return json.dumps(bill | more)


def _sbom(folder: Path, *texts: str | bytes) -> dict[str, Any]:
    """The bill of materials of a wheel that brings these along."""
    path = make_wheel(folder)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as wheel:
        for number, text in enumerate(texts):
            wheel.writestr(f"demo-1.0.dist-info/sboms/{number}.cdx.json", text)
    return _rendered(path)


def _rendered(*paths: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        render_sbom([Distribution.read(path) for path in paths]), parse_constant=pytest.fail
    )
    return document


def _references(document: dict[str, Any]) -> list[str]:
    files = document["components"]
    inner = [part["bom-ref"] for row in files for part in row.get("components", [])]
    return [
        document["metadata"]["component"]["bom-ref"],
        *(row["bom-ref"] for row in files),
        *inner,
    ]


def test_the_assets_of_a_release(tmp_path: Path) -> None:
    out, scratch = tmp_path / "out", tmp_path / "scratch"
    out.mkdir()
    scratch.mkdir()
    wheel, sdist = make_aarch64(out), make_sdist(out)
    report = write_built(out, wheel)
    files = find_distributions([out])
    write_built(other := tmp_path / "other", wheel, failed=["cp39"])
    assets = make_assets(files, [tmp_path, out, other], scratch)
    expected = [wheel.name, sdist.name, CHECKSUMS, "demo-1.0.cdx.json", FILE_NAME]
    assert [one.name for one in assets] == expected
    assert [one.path.parent for one in assets] == [out, out, scratch, scratch, scratch]
    for one in assets:
        assert one.sha256 == hashlib.sha256(one.path.read_bytes()).hexdigest()
    assert assets[-1].path.read_bytes() == report.read_bytes()
    again = tmp_path / "again"
    again.mkdir()
    assert [one.sha256 for one in make_assets(files, [out], again)] == [
        one.sha256 for one in assets
    ]


def test_sha256sum_reads_the_checksums(tmp_path: Path) -> None:
    make_wheel(tmp_path)
    make_sdist(tmp_path)
    make_assets(find_distributions([tmp_path]), [], tmp_path)
    words = ["sha256sum", "--strict", "--check", CHECKSUMS]
    ended = subprocess.run(words, cwd=tmp_path, capture_output=True, check=True, text=True)
    assert ended.stdout.splitlines() == [f"{WHEEL}: OK", "demo-1.0.tar.gz: OK"]


def test_without_a_report_there_is_none(tmp_path: Path) -> None:
    """Nor where it is a link: a source may have brought it, to have what it leads to published."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / FILE_NAME).symlink_to(tmp_path / "secret")
    (tmp_path / "made").mkdir()
    files = [Distribution.read(make_sdist(tmp_path))]
    names = [one.name for one in make_assets(files, [tmp_path], tmp_path / "made")]
    assert names == ["demo-1.0.tar.gz", CHECKSUMS, "demo-1.0.cdx.json"]


@pytest.mark.parametrize(
    ("version", "name", "url"),
    [
        ("1!2.0", "demo-1!2.0.cdx.json", "pkg:pypi/demo@1%212.0"),
        ("1.0+gpu", "demo-1.0+gpu.cdx.json", "pkg:pypi/demo@1.0%2Bgpu"),
    ],
)
def test_a_version_of_any_kind_makes_a_purl(
    tmp_path: Path, version: str, name: str, url: str
) -> None:
    one = Distribution.read(make_sdist(tmp_path, version=version))
    sbom = make_assets([one], [], tmp_path)[2]
    assert sbom.name == name
    document = json.loads(sbom.path.read_text())
    assert document["metadata"]["component"]["purl"] == url
    assert document["metadata"]["component"]["version"] == version
    assert document["components"][0]["bom-ref"].startswith(f"{url}?file_name=demo-1")


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object, **_options: object) -> int:
        raise OSError(28, "No space left on device")

    files = [Distribution.read(make_sdist(tmp_path))]
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(PublishError, match="cannot write the release's files") as caught:
        make_assets(files, [], tmp_path)
    assert caught.value.found == "No space left on device"


def test_the_bill_names_the_files_by_hash(tmp_path: Path) -> None:
    wheel, sdist = make_wheel(tmp_path), make_sdist(tmp_path)
    document = _rendered(wheel, sdist)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"] == {
        "type": "library",
        "name": "demo",
        "version": "1.0",
        "purl": URL,
        "bom-ref": URL,
    }
    assert document["components"][0] == {
        "type": "file",
        "name": WHEEL,
        "bom-ref": f"{URL}?file_name={WHEEL}",
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}],
    }
    assert [row["name"] for row in document["components"]] == [wheel.name, sdist.name]


def test_what_is_grafted_is_told_without_the_wheel_itself(tmp_path: Path) -> None:
    (row,) = _sbom(tmp_path, _bill(LIBRARY))["components"]
    assert row["components"] == [{**LIBRARY, "bom-ref": f"{URL}?file_name={WHEEL}#1"}]


def test_references_are_unique(tmp_path: Path) -> None:
    nameless = {"name": "zlib"}
    document = _sbom(tmp_path, _bill(LIBRARY, LIBRARY, nameless, nameless), _bill(LIBRARY))
    references = _references(document)
    assert len(references) == len(set(references)) == 7


def test_the_same_library_in_two_wheels(tmp_path: Path) -> None:
    wheels = [make_aarch64(tmp_path, number) for number in (312, 313)]
    for path in wheels:
        with zipfile.ZipFile(path, "a") as wheel:
            wheel.writestr("demo-1.0.dist-info/sboms/auditwheel.cdx.json", _bill(LIBRARY))
    references = _references(_rendered(*wheels))
    assert len(references) == len(set(references)) == 5


def test_only_text_is_taken_over(tmp_path: Path) -> None:
    hostile = {
        **LIBRARY,
        "version": 12,
        "components": [LIBRARY],
        "bom-ref": URL,
        "x": "y",
        "type": 1,
    }
    (row,) = _sbom(tmp_path, _bill(hostile))["components"]
    (part,) = row["components"]
    assert part.keys() == {"type", "name", "purl", "bom-ref"}
    assert part["type"] == "library"


BROKEN: dict[str, str | bytes] = {
    "no-json": "{",
    "no-object": "[]",
    "nested": "[" * 200_000,
    "not-unicode": b'{"components": [{"name": "\xff"}]}',
    "no-components": "{}",
    "components-as-text": '{"components": "abc"}',
    "metadata-as-list": '{"metadata": [], "components": [{"name": "a"}]}',
    "nameless": '{"components": [{"type": "library"}, "a", 1, null, {"name": 1}]}',
    "no-number": '{"components": [{"name": "a", "version": NaN}]}',
    "too-long": " " * (1 << 22) + _bill(LIBRARY),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_bill_is_passed_over(tmp_path: Path, text: str | bytes) -> None:
    """It hinders neither the release nor the bill beside it."""
    (row,) = _sbom(tmp_path, text, _bill(LIBRARY))["components"]
    assert [part["name"] for part in row["components"]] == ["zlib"]


def test_bills_are_read_up_to_a_limit_in_all(tmp_path: Path) -> None:
    """Deflated, any number of them takes no place."""
    long = _bill(LIBRARY) + " " * ((1 << 21) + 1)
    (row,) = _sbom(tmp_path, long, long, long)["components"]
    assert len(row["components"]) == 1


def test_parts_are_told_up_to_a_limit(tmp_path: Path) -> None:
    (row,) = _sbom(tmp_path, _bill(*[{"name": "a"}] * 10_001))["components"]
    assert len(row["components"]) == 10_000


def _our_bill(**file: object) -> str:
    """A bill as a build writes it, of one object, and with more than is taken over."""
    facts = [
        {"name": "aarch64-wheels:image-id", "value": "sha256:7"},
        {"name": "other:thing", "value": "x"},
        {"name": "aarch64-wheels:broken", "value": 1},
    ]
    rows = [{"type": "file", "name": "demo/_demo.so", "bom-ref": "x", **file}]
    return json.dumps({"metadata": {"component": {"properties": facts}}, "components": rows})


def _with_ours(folder: Path, text: str) -> dict[str, Any]:
    path = make_wheel(folder)
    with zipfile.ZipFile(path, "a") as wheel:
        wheel.writestr("demo-1.0.dist-info/sboms/aarch64-wheels.cdx.json", text)
        wheel.writestr("demo-1.0.dist-info/sboms/auditwheel.cdx.json", _bill(LIBRARY))
    row: dict[str, Any] = _rendered(path)["components"][0]
    return row


def test_our_own_bill_tells_of_objects_and_their_origin(tmp_path: Path) -> None:
    sha256 = {"alg": "SHA-256", "content": "5" * 64}
    clang = {"name": "aarch64-wheels:compiler", "value": "clang 22.1.8"}
    hashes = [sha256, {"alg": "SHA-256", "content": "short"}, {"alg": "MD5", "content": "5" * 32}]
    row = _with_ours(tmp_path, _our_bill(hashes=hashes, properties=[clang, "x"], licenses=[1]))
    assert row["properties"] == [{"name": "aarch64-wheels:image-id", "value": "sha256:7"}]
    library, file = row["components"]
    assert library["name"] == "zlib"
    assert {**file, "bom-ref": ""} == {
        "type": "file",
        "name": "demo/_demo.so",
        "hashes": [sha256],
        "properties": [clang],
        "bom-ref": "",
    }


def test_files_of_another_tool_are_no_libraries(tmp_path: Path) -> None:
    (row,) = _sbom(tmp_path, _our_bill())["components"]
    assert row.keys().isdisjoint({"components", "properties"})


def test_a_damaged_wheel_has_no_bill(tmp_path: Path) -> None:
    """Whether it may be published is asked elsewhere."""
    path = make_wheel(tmp_path)
    with zipfile.ZipFile(path, "a") as wheel:
        wheel.writestr("demo-1.0.dist-info/sboms/a.cdx.json", _bill(LIBRARY))
    path.write_bytes(path.read_bytes().replace(b"zlib@1.2.7", b"zlib@9.9.9"))
    assert "components" not in _rendered(path)["components"][0]
    path.write_bytes(b"")
    assert "components" not in _rendered(path)["components"][0]
    assert render_sbom([named()]).count(WHEEL) == 2
