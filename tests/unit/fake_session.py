"""A double of `engine.api.Session`: records what it is asked, and serves a few files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from aarch64_wheels.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path, PurePosixPath

    from aarch64_wheels.engine.api import Argv, LineSink


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command as it was asked for."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: PurePosixPath | None
    streamed: bool

    def __str__(self) -> str:
        return " ".join(self.argv)


@dataclass(kw_only=True)
class FakeSession:
    """A container whose commands do what `effects` says, by how the command starts.

    `ls -A DIRECTORY` lists `files`; a command that nothing is said of prints nothing.
    `events` holds commands, copies, saves, restores and what is kept in their order; `save` and
    `keep` have effects too.
    """

    effects: Mapping[str, Callable[[FakeSession], str]] = field(default_factory=dict)
    files: dict[PurePosixPath, bytes] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)
    copied: list[tuple[Path, PurePosixPath, tuple[Path, ...]]] = field(default_factory=list)
    restored: list[tuple[Path, PurePosixPath]] = field(default_factory=list)
    links: dict[PurePosixPath, PurePosixPath] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    open: bool = False
    is_prepared: bool = False

    def __enter__(self) -> Self:
        self.open = True
        return self

    def __exit__(self, *_error: object) -> None:
        self.open = False

    def begin(self, stage: str) -> None:
        self.stages.append(stage)

    def run(
        self,
        argv: Argv,
        *,
        sink: LineSink,
        env: Mapping[str, str] | None = None,
        cwd: PurePosixPath | None = None,
    ) -> None:
        for line in self._answer(argv, env, cwd, streamed=True).splitlines():
            sink(line)

    def capture(
        self,
        argv: Argv,
        *,
        sink: LineSink | None = None,  # noqa: ARG002 - nothing here speaks on stderr
        env: Mapping[str, str] | None = None,
        cwd: PurePosixPath | None = None,
    ) -> str:
        return self._answer(argv, env, cwd, streamed=False)

    def path_of(self, path: PurePosixPath) -> PurePosixPath:
        return path

    def copy_in(
        self, source: Path, destination: PurePosixPath, *, exclude: Collection[Path] = ()
    ) -> None:
        self.events.append(f"copy in {destination}")
        self.copied.append((source, destination, tuple(exclude)))

    def copy_out(self, source: PurePosixPath, directory: Path) -> list[Path]:
        copies = [directory / path.name for path in self.files if path.parent == source]
        for copy in copies:
            copy.write_bytes(self.files[source / copy.name])
        return copies

    def copy_file(self, source: PurePosixPath, path: Path, limit: int) -> None:
        content = self.read(source, limit + 1)
        if len(content) > limit:
            raise StageError(f"{path.name} is too large")
        path.write_bytes(content)

    def keep(self) -> None:
        self.events.append("keep")
        if effect := self.effects.get("keep"):
            effect(self)

    def save(self, source: PurePosixPath, archive: Path) -> None:
        self.events.append(f"save {source}")
        archive.write_text(f"{source} after {len(self.commands)} commands", encoding="utf-8")
        if effect := self.effects.get("save"):
            effect(self)

    def restore(self, archive: Path, parent: PurePosixPath) -> None:
        self.events.append(f"restore below {parent}")
        self.restored.append((archive, parent))

    def write(self, path: PurePosixPath, content: bytes, *, mode: int = 0o644) -> None:
        assert mode & 0o400, "a file nobody can read"
        self.files[path] = content

    def read(self, path: PurePosixPath, limit: int) -> bytes:
        if path not in self.files:
            raise StageError(f"cannot read {path}", found="no such file")
        return self.files[path][:limit]

    def link(self, links: Mapping[PurePosixPath, PurePosixPath]) -> None:
        self.links.update(links)

    def _answer(
        self,
        argv: Argv,
        env: Mapping[str, str] | None,
        cwd: PurePosixPath | None,
        *,
        streamed: bool,
    ) -> str:
        words = tuple(str(word) for word in argv)
        command = Command(argv=words, env=env or {}, cwd=cwd, streamed=streamed)
        self.commands.append(command)
        self.events.append(str(command))
        for start, effect in self.effects.items():
            if str(command).startswith(start):
                return effect(self)
        if words[:2] == ("ls", "-A"):
            return "".join(f"{p.name}\n" for p in self.files if str(p.parent) == words[2])
        return ""
