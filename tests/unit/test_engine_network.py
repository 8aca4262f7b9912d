"""What of the host's environment reaches a container, and what never does."""

from __future__ import annotations

from pathlib import Path

import pytest

from aarch64_wheels.engine.network import container_environment, network_mode
from aarch64_wheels.engine.spec import ContainerSpec
from aarch64_wheels.hostindex import IndexSettings

BASE = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
CA = "/etc/aarch64-wheels/ca.pem"
PROXY = "http://proxy.example:3128"
INDEX = "https://index.example/simple"

SECRETS = {
    "GITHUB_TOKEN": "s",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "s",
    "TWINE_PASSWORD": "s",
    "TWINE_USERNAME": "s",
    "INPUT_PASSWORD": "s",
    "AWS_SECRET_ACCESS_KEY": "s",
    "DOCKER_AUTH_CONFIG": "s",
    "HOME": "/home/me",
    "PATH": "/home/me/bin",
    "LD_PRELOAD": "x.so",
}


def test_no_secret_gets_in() -> None:
    assert container_environment(SECRETS, IndexSettings()) == BASE


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY"])
def test_proxies_get_in_under_both_spellings(name: str) -> None:
    found = container_environment({name: PROXY}, IndexSettings())
    assert found == {**BASE, "https_proxy": PROXY, "HTTPS_PROXY": PROXY}


def test_lower_case_wins() -> None:
    environ = {"http_proxy": PROXY, "HTTP_PROXY": "http://other.example"}
    assert container_environment(environ, IndexSettings())["HTTP_PROXY"] == PROXY


def test_the_time_of_reproducible_builds_gets_in() -> None:
    found = container_environment({"SOURCE_DATE_EPOCH": "1700000000"}, IndexSettings())
    assert found["SOURCE_DATE_EPOCH"] == "1700000000"


def test_indexes_get_in_for_pip_and_uv() -> None:
    settings = IndexSettings(
        index_url=INDEX,
        extra_index_urls=("https://a.example", "https://b.example"),
        trusted_hosts=("a.example", "b.example:8080"),
    )
    assert container_environment({}, settings) == {
        **BASE,
        "PIP_INDEX_URL": INDEX,
        "UV_DEFAULT_INDEX": INDEX,
        "PIP_EXTRA_INDEX_URL": "https://a.example https://b.example",
        "UV_INDEX": "https://a.example https://b.example",
        "PIP_TRUSTED_HOST": "a.example b.example:8080",
        "UV_INSECURE_HOST": "a.example b.example:8080",
    }


def test_the_ca_bundle_is_named_by_its_place_in_the_container() -> None:
    found = container_environment({}, IndexSettings(ca_bundle=Path("/home/me/company.pem")))
    assert "/home/me/company.pem" not in found.values()
    names = {name for name, value in found.items() if value == CA}
    assert {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "GIT_SSL_CAINFO"} <= names


MODES = {
    "nothing": ({}, None, None),
    "proxy elsewhere": ({"HTTP_PROXY": PROXY}, None, None),
    "proxy here": ({"https_proxy": "http://127.0.0.1:3128"}, None, "host"),
    "proxy here without scheme": ({"https_proxy": "localhost:3128"}, None, "host"),
    "no_proxy names this machine": ({"NO_PROXY": "localhost,127.0.0.1"}, None, None),
    "index here": ({}, "http://localhost:3141/root", "host"),
    "index at IPv6": ({}, "http://[::1]:3141/root", "host"),
    "index elsewhere": ({}, INDEX, None),
}


@pytest.mark.parametrize(("environ", "index", "expected"), MODES.values(), ids=MODES.keys())
def test_network_mode(environ: dict[str, str], index: str | None, expected: str | None) -> None:
    assert network_mode(environ, IndexSettings(index_url=index)) == expected


def test_only_emulated_containers_have_a_cpu() -> None:
    assert ContainerSpec().cpu == {}
    assert ContainerSpec(emulated=True).cpu == {"QEMU_CPU": "cortex-a72"}
