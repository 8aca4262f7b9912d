from __future__ import annotations

from pathlib import Path

import pytest

from aarch64_wheels.errors import UsageError
from aarch64_wheels.hostindex import (
    IndexSettings,
    pip_config_files,
    read_index_settings,
    without_credentials,
)

A, B, C = "https://a.example/simple", "https://b.example/simple", "http://c.example/simple"


def _read(environ: dict[str, str], *files: Path) -> IndexSettings:
    return read_index_settings(environ, files, system_bundles=())


def _conf(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_nothing_is_set() -> None:
    assert _read({}) == IndexSettings()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({"PIP_INDEX_URL": A}, A, id="pip"),
        pytest.param({"PIP_INDEX_URL": A, "UV_INDEX_URL": B}, B, id="uv-over-pip"),
        pytest.param({"UV_INDEX_URL": A, "UV_DEFAULT_INDEX": B}, B, id="uv-new-over-old"),
        pytest.param({"UV_DEFAULT_INDEX": f"corp={A}"}, A, id="named"),
        pytest.param({"UV_DEFAULT_INDEX": f"{A}?x=y"}, f"{A}?x=y", id="equals-sign-in-url"),
        pytest.param({"PIP_INDEX_URL": ""}, "https://conf.example/", id="empty-is-unset"),
    ],
)
def test_main_index(environ: dict[str, str], expected: str, tmp_path: Path) -> None:
    file = _conf(tmp_path / "pip.conf", "[global]\nindex-url = https://conf.example/\n")
    assert _read(environ, file).index_url == expected


def test_extra_indexes_are_joined_and_pips_variable_goes_over_its_file(tmp_path: Path) -> None:
    file = _conf(tmp_path / "pip.conf", f"[global]\nextra-index-url =\n  {A}\n  {C}\n")
    assert _read({}, file).extra_index_urls == (A, C)
    assert _read({"UV_INDEX": f"one={B} {A}"}, file).extra_index_urls == (B, A, C)
    environ = {"UV_EXTRA_INDEX_URL": A, "PIP_EXTRA_INDEX_URL": B}
    assert _read(environ, file).extra_index_urls == (A, B)


def test_later_files_and_the_install_section_win(tmp_path: Path) -> None:
    first = _conf(tmp_path / "1", f"[global]\nindex_url = {A}\ntrusted-host = h1 h2:8443\n")
    second = _conf(tmp_path / "2", f"[global]\nindex-url = {B}\n[install]\nindex-url = {C}\n")
    settings = _read({"UV_INSECURE_HOST": "h0"}, first, second, tmp_path / "absent")
    assert settings.index_url == C
    assert settings.trusted_hosts == ("h0", "h1", "h2:8443")


@pytest.mark.parametrize("local", ["file:///srv/simple", "/srv/simple", "./simple"])
def test_local_indexes_are_dropped_and_remembered(local: str) -> None:
    settings = _read({"PIP_INDEX_URL": local, "UV_INDEX": f"{A} {local}"})
    assert settings == IndexSettings(extra_index_urls=(A,), dropped=(local,), unusable_main=local)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ftp://bob:secret@h.example/simple", "ftp://h.example/simple"),
        ("bob:secret@h.example/simple", "h.example/simple"),
        ("h.example/simple", "h.example/simple"),
        ("https://bob:secr/et@h.example/simple", "https://h.example/simple"),
        ("https://[h/simple", "https://[h/simple"),
        ("https:///simple", "https:///simple"),
    ],
)
def test_what_is_no_index_url_is_dropped_too(url: str, shown: str) -> None:
    settings = _read({"PIP_INDEX_URL": url})
    assert settings == IndexSettings(dropped=(shown,), unusable_main=shown)


def test_another_main_index_takes_the_place_of_a_local_one() -> None:
    settings = _read({"UV_DEFAULT_INDEX": "file:///srv/simple", "PIP_INDEX_URL": A})
    assert settings == IndexSettings(index_url=A, dropped=("file:///srv/simple",))


@pytest.mark.parametrize(
    ("environ", "conf", "expected"),
    [
        pytest.param({}, "", "", id="unset"),
        pytest.param({"PIP_NO_INDEX": "1"}, "", "PIP_NO_INDEX", id="pip"),
        pytest.param({"PIP_NO_INDEX": "True"}, "", "PIP_NO_INDEX", id="word"),
        pytest.param({"PIP_NO_INDEX": "0"}, "no-index = true", "", id="pip-over-its-file"),
        pytest.param({"PIP_NO_INDEX": ""}, "no_index = yes", "no-index in pip's", id="file"),
        pytest.param({"UV_NO_INDEX": "1", "PIP_NO_INDEX": "0"}, "", "UV_NO_INDEX", id="uv"),
    ],
)
def test_no_index(environ: dict[str, str], conf: str, expected: str, tmp_path: Path) -> None:
    file = _conf(tmp_path / "pip.conf", f"[global]\n{conf}\n")
    found = _read(environ, file).no_index
    assert found.startswith(expected)
    assert bool(found) == bool(expected)


def test_a_percent_sign_is_no_interpolation(tmp_path: Path) -> None:
    file = _conf(tmp_path / "pip.conf", "[global]\nindex-url = https://u:p%40w@h.example/\n")
    assert _read({}, file).index_url == "https://u:p%40w@h.example/"


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    file = _conf(tmp_path / "pip.conf", "index-url = x\n")
    with pytest.raises(UsageError, match="cannot read pip's configuration file"):
        _read({}, file)


def test_ca_bundles_in_order(tmp_path: Path) -> None:
    bundles = {name: _conf(tmp_path / name, "") for name in ("requests", "pip", "conf", "system")}
    file = _conf(tmp_path / "pip.conf", f"[global]\ncert = {bundles['conf']}\n")
    environ = {"PIP_CERT": str(bundles["pip"]), "REQUESTS_CA_BUNDLE": str(bundles["requests"])}

    def found(environ: dict[str, str], *files: Path) -> Path | None:
        return read_index_settings(environ, files, system_bundles=[bundles["system"]]).ca_bundle

    assert found(environ, file) == bundles["requests"]
    assert found({"PIP_CERT": str(bundles["pip"])}, file) == bundles["pip"]
    assert found({"SSL_CERT_FILE": str(tmp_path / "gone")}, file) == bundles["conf"]
    assert found({}) == bundles["system"]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param(
            {},
            [
                "/etc/xdg/pip/pip.conf",
                "/etc/pip.conf",
                "/h/.pip/pip.conf",
                "/h/.config/pip/pip.conf",
            ],
            id="defaults",
        ),
        pytest.param(
            {"XDG_CONFIG_DIRS": "/x:/y", "XDG_CONFIG_HOME": "/c", "VIRTUAL_ENV": "/v"},
            [
                *("/x/pip/pip.conf", "/y/pip/pip.conf", "/etc/pip.conf", "/h/.pip/pip.conf"),
                *("/c/pip/pip.conf", "/v/pip.conf"),
            ],
            id="directories",
        ),
        pytest.param(
            {"PIP_CONFIG_FILE": "/f"}, ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", "/f"], id="named"
        ),
        pytest.param({"PIP_CONFIG_FILE": "/dev/null"}, [], id="switched-off"),
    ],
)
def test_where_pip_keeps_its_files(environ: dict[str, str], expected: list[str]) -> None:
    assert [str(path) for path in pip_config_files(environ, Path("/h"))] == expected


def test_without_credentials_is_still_the_index() -> None:
    url = "https://us%40er:secret@h.example:1/feed@Local/simple/?token=secret"
    assert without_credentials(url) == "https://h.example:1/feed@Local/simple/"
