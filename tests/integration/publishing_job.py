"""A job that publishes, run by `act`; no secret of it may be in anything that it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import certifi

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.standins.surroundings import Surroundings

#: Of the index's user.
PASSWORD = "pass-word-of-somebody"  # noqa: S105 - it opens a stand-in only


@dataclass
class Job:
    """Runs of a workflow; of the last one, what it printed and what it left behind.

    Attributes:
        checkout: a git repository with the workflow, whose last step fills `$RESULT`.
        around: what the job finds. folder: an empty one for the results.
        event: GitHub's name of what has happened; payload: what GitHub says of it.
        said: what was printed. result: the directory that was filled; left: all text in it.
    """

    checkout: Path
    around: Surroundings
    folder: Path
    event: str = "push"
    payload: Mapping[str, object] | None = None
    said: str = ""
    left: str = ""
    result: Path = Path()

    def run(self, **variables: str) -> int:
        """Run it with these variables instead of the usual ones; gives the exit status of `act`."""
        result = self.folder / f"result {len(list(self.folder.iterdir()))}"
        result.mkdir()
        self._commit()
        environ = {**self._usual(), **variables, "RESULT": str(result)}
        file = self.folder.with_name("variables")
        file.write_text("".join(f"{name}={value}\n" for name, value in environ.items()))
        done = self._act(file)
        self.result = result
        texts = [path.read_text(errors="replace") for path in result.rglob("*") if path.is_file()]
        self.said = f"{done.stdout}\n{done.stderr}"
        print(self.said)
        self.left = "\n".join([*map(str, result.rglob("*")), *texts])
        told = [secret for secret in self._secrets(environ) if secret in self.said + self.left]
        assert (told, (result / "outputs.json").is_file()) == ([], True)
        return done.returncode

    def _act(self, variables: Path) -> subprocess.CompletedProcess[str]:
        program = str(Path(sys.executable).with_name("act"))
        words = [self.event, "-P", "ubuntu-latest=-self-hosted", "--no-cache-server"]
        if self.payload is not None:
            event = self.folder.with_name("event.json")
            event.write_text(json.dumps(self.payload), encoding="utf-8")
            words += ["-e", str(event)]
        return subprocess.run(
            [program, *words, "--env-file", str(variables)],
            cwd=self.checkout,
            env=self.around.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def _usual(self) -> dict[str, str]:
        around, folder = self.around, self.folder.parent
        trust = around.sigstore.write_trust_config(folder / "trust.json")
        # The Action's tools are installed from the real index.
        known = Path(os.environ.get("REQUESTS_CA_BUNDLE") or certifi.where()).read_bytes()
        bundle = folder / "bundle.pem"
        bundle.write_bytes(known + around.certificates.authority.read_bytes())
        return {
            **around.variables,
            "REQUESTS_CA_BUNDLE": str(bundle),
            "CURL_CA_BUNDLE": str(bundle),
            "INDEX": around.index.upload_url,
            "TRUST_CONFIG": str(trust),
            "TRUSTED": "always",
        }

    def _secrets(self, environ: Mapping[str, str]) -> set[str]:
        return self.around.secrets | {environ.get("PASS") or PASSWORD}

    def _commit(self) -> None:
        me = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
        for command in (["add", "."], [*me, "commit", "--quiet", "--allow-empty", "-m", "test"]):
            subprocess.run(["git", *command], cwd=self.checkout, check=True)
