from __future__ import annotations

from pathlib import Path

import pytest

from aarch64_wheels.errors import UsageError
from aarch64_wheels.hostindex import (
    IndexSettings,
    pip_config_files,
    read_index_settings,
    redact,
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
    assert settings == IndexSettings(extra_index_urls=(A,), dropped=(local,))


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


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://user:secret@h.example:1/simple?token=secret#x", "https://h.example:1/simple"),
        ("git+https://secret@h.example/x.git", "git+https://h.example/x.git"),
        ("user:secret@h.example/x", "h.example/x"),
        ("/srv/simple", "/srv/simple"),
        ("https://secret@[h/", "(a URL that cannot be parsed)"),
    ],
)
def test_redact(url: str, expected: str) -> None:
    assert redact(url) == expected
