"""`--sdist`: the sdist is made once, kept, and what the wheels are built from."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.commands.sdist import through_sdist
from aarch64_wheels.errors import StageError, UnfitError
from aarch64_wheels.hashing import sha256_of
from aarch64_wheels.native.places import WORK
from aarch64_wheels.publish.distributions import find_distributions
from aarch64_wheels.report.model import SdistRecord
from aarch64_wheels.settings.schema import Backend, Mode
from aarch64_wheels.source import Metadata, Source, SourceKind, sdist_source
from tests.unit.backend_samples import HOOK
from tests.unit.environment_samples import NATIVE, fresh_session
from tests.unit.fake_session import FakeSession
from tests.unit.pipeline_samples import Listener, make_pipeline, sessions_of
from tests.unit.report_samples import plan
from tests.unit.stage_samples import fails

if TYPE_CHECKING:
    from collections.abc import Callable

    from aarch64_wheels.commands.sdist import FromSdist
    from aarch64_wheels.plan import Plan

NAME = "fast-1.0.tar.gz"
PYPROJECT = '[build-system]\nrequires = ["own>=2"]\nbuild-backend = "own.api"\n'
PKG_INFO = "Metadata-Version: 2.1\nName: fast\nVersion: 1.0\n"


def _sdist(**files: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, text in {"PKG-INFO": PKG_INFO, "pyproject.toml": PYPROJECT, **files}.items():
            info = tarfile.TarInfo(f"fast-1.0/{name}")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return stream.getvalue()


def _makes(name: object = NAME, content: bytes | None = None) -> Callable[[FakeSession], str]:
    """A backend that makes an sdist."""

    def effect(session: FakeSession) -> str:
        token, hook = session.commands[-1].argv[2:4]
        if hook != "build_sdist":
            return f"{token}[]\n"
        session.files[WORK / "sdist" / str(name)] = _sdist() if content is None else content
        return f"running sdist\n{token}{json.dumps(name)}\n"

    return effect


def _session(hook: Callable[[FakeSession], str]) -> FakeSession:
    return FakeSession(effects={**fresh_session().effects, HOOK: hook})


def _source(tmp_path: Path, **fields: Any) -> Source:
    values = {"kind": SourceKind.DIRECTORY, "origin": ".", "root": tmp_path / "project"}
    return Source(**{**values, "sha256": "", "metadata": Metadata(), **fields})


def _through(
    tmp_path: Path, *sessions: FakeSession, listener: Listener | None = None, **fields: Any
) -> FromSdist:
    pipeline = make_pipeline(
        tmp_path,
        sessions_of(*sessions),
        listener or Listener(),
        fields.pop("plan", None),
        fields.pop("python", None),
    )
    (tmp_path / "scratch").mkdir()
    return through_sdist(replace(pipeline, **fields), _source(tmp_path), tmp_path / "scratch")


def test_the_sdist_is_kept_and_built_from(tmp_path: Path) -> None:
    session, listener = _session(_makes()), Listener()
    data = {"package": PurePosixPath("python"), "git_data": tmp_path / "git"}
    found = _through(tmp_path, session, listener=listener, **data)
    kept = tmp_path / "wheelhouse" / NAME
    assert found.record == SdistRecord(
        filename=NAME, sha256=sha256_of(kept), size=kept.stat().st_size
    )
    pipeline = found.pipeline
    assert pipeline.source.is_relative_to(tmp_path / "scratch")
    assert pipeline.source.name == "fast-1.0"
    assert (pipeline.package, pipeline.git_data) == (PurePosixPath(), None)
    assert pipeline.sdist == NAME
    assert listener.notes == ["building the sdist", f"the wheels are built from {NAME}"]
    assert "running sdist" in (tmp_path / "wheelhouse/logs/sdist.log").read_text()


def test_the_hooks_of_an_sdist(tmp_path: Path) -> None:
    session = _session(_makes())
    _through(tmp_path, session, package=PurePosixPath("python"))
    hooks = [command for command in session.commands if str(command).startswith(HOOK)]
    assert [(hook.argv[3], str(hook.cwd)) for hook in hooks] == [
        ("get_requires_for_build_sdist", "/project/python"),
        ("build_sdist", "/project/python"),
    ]


def test_before_build_is_for_wheels(tmp_path: Path) -> None:
    sample = plan()
    options = replace(sample.targets[0].options, before_build="make {package}")
    targets = tuple(replace(target, options=options) for target in sample.targets)
    session = _session(_makes())
    _through(tmp_path, session, plan=replace(sample, targets=targets))
    assert not any(command.argv[0] == "sh" for command in session.commands)


def test_what_the_sdist_says_of_itself_is_what_is_built(tmp_path: Path) -> None:
    sample = replace(plan(), project="", version="", build_requires=("other",))
    planned = _through(tmp_path, _session(_makes()), plan=sample).pipeline.plan
    assert (planned.project, planned.version) == ("fast", "1.0")
    assert (planned.build_requires, planned.build_backend) == (("own>=2",), "own.api")
    assert planned.targets == sample.targets


def test_a_failed_target_says_that_it_was_built_from_the_sdist(tmp_path: Path) -> None:
    broken = _session(fails(1, "fatal error: fast.h"))
    found = _through(tmp_path, _session(_makes()), broken, broken)
    record = found.pipeline.run()[0]
    assert "fatal error: fast.h" in record.error
    assert f"built from the sdist {NAME}" in record.error


def _accelerated(backend: Backend = Backend.AUTO) -> Plan:
    return replace(plan(), mode=Mode.ACCELERATED, backend=backend)


def test_what_cannot_be_done_natively_is_done_under_emulation(tmp_path: Path) -> None:
    first, second, listener = _session(fails(1, "boom")), _session(_makes()), Listener()
    options: dict[str, Any] = {"plan": _accelerated(), "python": NATIVE, "listener": listener}
    assert _through(tmp_path, first, second, **options).record.filename == NAME
    assert any("made under emulation" in note for note in listener.notes)


def test_with_a_native_backend_alone_it_is_not(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="cannot be built") as caught:
        _through(
            tmp_path,
            _session(fails(1, "boom")),
            plan=_accelerated(Backend.NATIVE),
            python=NATIVE,
        )
    assert "cannot run natively" in caught.value.found


BAD: dict[str, tuple[Callable[[FakeSession], str], str]] = {
    "fails": (fails(1, "no time"), "no time"),
    "no-name": (_makes(None), "made no sdist"),
    "zip": (_makes("fast-1.0.zip"), "made no sdist"),
    "leads-out": (_makes("../fast-1.0.tar.gz"), "made no sdist"),
    "no-archive": (_makes(content=b"x"), "is not a readable sdist"),
    "no-metadata": (_makes(content=_sdist()[:60]), "is not a readable sdist"),
}


@pytest.mark.parametrize(("hook", "words"), BAD.values(), ids=BAD.keys())
def test_what_is_no_sdist_is_not_kept(
    tmp_path: Path, hook: Callable[[FakeSession], str], words: str
) -> None:
    with pytest.raises(StageError) as caught:
        _through(tmp_path, _session(hook))
    assert words in str(caught.value)
    assert [path.name for path in (tmp_path / "wheelhouse").iterdir()] == ["logs"]


def test_an_sdist_is_one_already(tmp_path: Path) -> None:
    file = tmp_path / NAME
    file.write_bytes(_sdist())
    listener = Listener()
    pipeline = make_pipeline(tmp_path, lambda: pytest.fail("a container starts"), listener)
    source = sdist_source(str(file), file, tmp_path / "work")
    found = through_sdist(pipeline, source, tmp_path)
    assert found.pipeline is pipeline
    assert found.record.sha256 == source.sha256
    assert listener.notes == [f"{NAME} is an sdist already, and is kept as it is"]
    kept = tmp_path / "wheelhouse" / NAME
    assert kept.read_bytes() == file.read_bytes()
    # Once more, with what is kept as the source itself.
    again = sdist_source(str(kept), kept, tmp_path / "work")
    assert through_sdist(pipeline, again, tmp_path).record == found.record


def test_what_is_kept_can_be_published(tmp_path: Path) -> None:
    _through(tmp_path, _session(_makes()))
    (found,) = find_distributions([tmp_path / "wheelhouse"])
    assert (found.filename, found.is_wheel, str(found.version)) == (NAME, False, "1.0")


def test_a_link_of_that_name_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "wheelhouse").mkdir()
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    for name in (NAME, f".{NAME}.part"):
        (tmp_path / "wheelhouse" / name).symlink_to(victim)
    _through(tmp_path, _session(_makes()))
    assert victim.read_text() == "untouched"
    assert not (tmp_path / "wheelhouse" / NAME).is_symlink()


def test_an_output_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "wheelhouse" / NAME).mkdir(parents=True)
    with pytest.raises(UnfitError, match="cannot write the sdist"):
        _through(tmp_path, _session(_makes()))
