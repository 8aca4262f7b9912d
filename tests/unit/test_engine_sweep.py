"""What a killed run left is removed, and what cannot be removed is told."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest
import requests

from aarch64_wheels.engine.owner import Owner
from aarch64_wheels.engine.sweep import sweep

ME = Owner.current()
DEAD = replace(ME, boot="another")


class FakeApi:
    """Docker's API with these containers, by name; those called `stuck` cannot be removed."""

    def __init__(self, **owners: Owner) -> None:
        self.owners = owners
        self.removed: list[str] = []

    def containers(self, **_options: Any) -> list[dict[str, Any]]:
        return [
            {"Id": name, "Names": [f"/{name}"], "Labels": owner.labels("run")}
            for name, owner in self.owners.items()
        ]

    def remove_container(self, name: str, **_options: Any) -> None:
        if name.startswith("stuck"):
            response = requests.Response()
            response.status_code = 500
            raise docker.errors.APIError("500", response, "device or resource busy")
        self.removed.append(name)


def engine(api: FakeApi) -> Any:
    return SimpleNamespace(client=SimpleNamespace(api=api))


def test_one_that_cannot_be_removed_keeps_no_other() -> None:
    api = FakeApi(a=DEAD, stuck=DEAD, b=DEAD)
    said: list[str] = []
    assert sweep(engine(api), said.append) == ("a", "b")
    assert said == ["cannot remove stuck, left by a run that was killed: device or resource busy"]


@pytest.mark.parametrize("owner", [ME, replace(ME, host="another")], ids=["mine", "elsewhere"])
def test_what_may_be_alive_stays(owner: Owner) -> None:
    api = FakeApi(a=owner)
    assert sweep(engine(api)) == ()
    assert api.removed == []
