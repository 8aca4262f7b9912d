"""Random TOML for fuzz tests: the same number gives the same document."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.settings.cibuildwheel import NAMES, NOT_APPLICABLE
from aarch64_wheels.settings.schema import BuildOptions, Settings, all_fields
from aarch64_wheels.settings.tables import all_options

if TYPE_CHECKING:
    from random import Random

SECTIONS = (
    *("project", "build-system", "tool", "tool.aarch64-wheels", "tool.cibuildwheel"),
    *("tool.cibuildwheel.linux", "tool.cibuildwheel.macos", "tool.cibuildwheel.environment"),
    *("tool.cibuildwheel.config-settings", "tool.cibuildwheel.inherit", "dependency-groups"),
    *("tool.cibuildwheel.linux.inherit", "tool.cibuildwheel.test-environment", "nothing"),
)
ARRAYS = ("tool.cibuildwheel.overrides", "tool.cibuildwheel", "project", "tool.aarch64-wheels")
OURS = tuple(option.name for option in all_options())
THEIRS = (*NAMES, *NOT_APPLICABLE, "select", "inherit", "overrides", "manylinux-i686-image")
PROJECT = (
    *("name", "version", "requires-python", "dynamic", "requires", "build-backend"),
    *("backend-path", "dependencies", "optional-dependencies", "description"),
)
_OPTIONS = {option.name: option for kind in (Settings, BuildOptions) for option in all_fields(kind)}
_KEYS = {
    "project": PROJECT[:3],
    "build-system": PROJECT[4:7],
    "aarch64-wheels": OURS,
    "inherit": tuple(NAMES),
}
#: Words that mean something in one place or another.
WORDS = (
    *("", "*", "cp3*", "cp313", "cp313-*", "cp3{9..15}-*", "cp{39,31[0-4]}-manylinux*", "pp*"),
    *("3.13", "3.14t", "all", "pypy", "cpython-prerelease", ">=3.9", "~=3.11", "<3", "==3.*"),
    *("manylinux2014", "debian", "musllinux_1_2", "registry.example/a/b:1", "x@sha256:00"),
    *(
        "docker",
        "docker; create_args: --cpus 2",
        "pip; args: -v",
        "pinned",
        "packages: a b",
        "auto",
    ),
    *(
        "append",
        "prepend",
        "none",
        "before-all: append; skip",
        "A=1 B=$A",
        "A='b",
        'A="$(',
        "=",
        ":",
    ),
    *("true", "0", "-3", "99999999999999999999", "wheelhouse", "../..", "/etc/passwd", "a.toml"),
    *("{project}", "{wheel} {dest_dir}", "setuptools>=61", "a @ ../b", "x ; python_version<'3'"),
    *("accelerated", "native", "gcc", "emulated", "podman", "setuptools.build_meta"),
)
#: Words that have made programs stumble.
ODD = (
    *("\0", "\x1b[31m", "::error::x", "##[group]", "\r\n", "\ufeff", "\u202e", "\U0001f600"),
    *("a\n::set-output name=x::y", "{" * 60, "{" * 3000, "{a,b}" * 40, "{1..99999999}", "[" * 50),
    *(
        "[!",
        "[z-a]",
        "\\",
        "'",
        '"',
        "$(",
        "`",
        "%s%n",
        "\x85\u2028",
        "\ud7ff\ue000",
        "e\u0301" * 9,
    ),
    *("*a" * 60, "{a" + ",{a" * 500, "x" * 5000, "(" * 3000, "{-9999999999..1}", "{a..\U0001f600}"),
)
NUMBERS = (
    *("0", "-1", "3", "7.5", "1e400", "nan", "-inf", "9" * 400, "0x" + "f" * 4500, "0b1", "0o7"),
    *("1_000", "9" * 4301, "-0.0", "9223372036854775808"),
)
DATES = ("1979-05-27T07:32:00Z", "1979-05-27", "07:32:00.999999", "0001-01-01T00:00:00-23:59")
BROKEN = (
    "",
    "=",
    "[",
    "]",
    "{",
    "'''",
    '"""',
    "#",
    "\n",
    "\r",
    "\x00",
    "\xff",
    ".",
    "[[",
    "é",
    ",",
)


@dataclass(frozen=True, kw_only=True)
class Documents:
    """Makes documents by chance.

    Attributes:
        rng: decides.
    """

    rng: Random

    def document(self) -> bytes:
        """Give a whole file, which is sometimes no TOML, or not even text."""
        rng = self.rng
        content = self._text().encode("utf-8", "surrogatepass")
        for _ in range(rng.choice((0, 0, 0, 0, 0, 0, 0, 0, 1, 3))):
            content = self._spoiled(content)
        return content

    def word(self) -> str:
        """Give a text that means something somewhere, or an odd one."""
        rng = self.rng
        parts = [
            rng.choice(ODD if rng.random() < 0.15 else WORDS)
            for _ in range(rng.choice((1, 1, 1, 2, 3)))
        ]
        return rng.choice(("", " ", ",", ";", "\n")).join(parts)

    def value(self, depth: int = 0) -> str:
        """Give any value, written as TOML."""
        rng = self.rng
        kind = rng.choice("sssssnbdatt" if depth < 3 else "ssnbd")
        if kind == "s":
            return _quoted(self.word())
        if kind in "nbd":
            return rng.choice({"n": NUMBERS, "b": ("true", "false"), "d": DATES}[kind])
        if kind == "a" and rng.random() < 0.1:
            levels = rng.choice((20, 300, 3000))
            return "[" * levels + "]" * levels
        items = [self.value(depth + 1) for _ in range(rng.choice((0, 1, 2, 3)))]
        if kind == "a":
            return f"[{', '.join(items)}]"
        rows = {self.key(): item for item in items}
        return f"{{{', '.join(f'{key} = {item}' for key, item in rows.items())}}}"

    def key(self) -> str:
        """Give the key of an option, or any other."""
        rng = self.rng
        name = rng.choice(rng.choice((OURS, THEIRS, THEIRS, PROJECT, WORDS)))
        if rng.random() < 0.1:
            return f"{name or 'x'}.{'.'.join('y' * rng.choice((1, 40, 900)))}".replace("*", "")
        plain = name.replace("-", "").replace("_", "")
        return name if plain.isascii() and plain.isalnum() else _quoted(name)

    def _text(self) -> str:
        rng = self.rng
        lines = [self._row(rng.choice(PROJECT)) for _ in range(rng.choice((0, 0, 0, 0, 0, 0, 1)))]
        for section in rng.sample(SECTIONS, rng.choice((1, 2, 2, 3, 4))):
            lines += [f"[{section}]", *self._rows(section)]
        for _ in range(rng.choice((0, 0, 1, 2))):
            array = ARRAYS[0] if rng.random() < 0.95 else rng.choice(ARRAYS)
            lines += [f"[[{array}]]", *self._rows(array)]
            if array == ARRAYS[0] and rng.random() < 0.9:
                lines.append(f"select = {_quoted(rng.choice(WORDS) or '*')}")
        return "\n".join(lines) + "\n"

    def _rows(self, section: str) -> list[str]:
        rng = self.rng
        if section == "build-system" and rng.random() < 0.8:
            return [f"requires = [{_quoted(rng.choice(WORDS))}]"]
        names = next((keys for end, keys in _KEYS.items() if section.endswith(end)), THEIRS)
        chosen = rng.sample(names, min(len(names), rng.choice((0, 1, 1, 2, 4))))
        if section.endswith("inherit"):
            rules = ("append", "prepend", "none")
            return [f"{name} = {_quoted(rng.choice(rules))}" for name in chosen]
        if section.endswith(("environment", "config-settings")):
            return [f"A{n} = {_quoted(rng.choice(WORDS))}" for n in range(len(chosen))]
        rows = [self._row(name) for name in chosen]
        return rows if rng.random() < 0.9 else [*rows, f"{self.key()} = {self.value()}"]

    def _row(self, name: str) -> str:
        return f"{name} = {self.value() if self.rng.random() < 0.12 else self._fitting(name)}"

    def _fitting(self, name: str) -> str:
        """Give a value of the kind that an option has, as far as kinds go."""
        rng = self.rng
        option = _OPTIONS.get(NAMES.get(name, name))
        words = [rng.choice(WORDS) for _ in range(rng.choice((1, 2)))]
        if option is None or name in PROJECT:
            return _quoted(words[0] or "x")
        kinds = option.kind.schema.get("anyOf", [option.kind.schema])
        kind = rng.choice(kinds if isinstance(kinds, list) else [{}]).get("type")
        if option.choices:
            return _quoted(rng.choice(option.choices))
        if kind == "array":
            return f"[{', '.join(map(_quoted, words))}]"
        if kind == "object":
            return f"{{{', '.join(f'A{n} = {_quoted(word)}' for n, word in enumerate(words))}}}"
        return {"integer": "1", "boolean": "true"}.get(str(kind), _quoted(words[0] or "x"))

    def _spoiled(self, content: bytes) -> bytes:
        rng = self.rng
        at, length = rng.randrange(len(content) + 1), rng.choice((0, 0, 1, 9))
        piece = rng.choice(BROKEN).encode(rng.choice(("utf-8", "latin-1")))
        return content[:at] + piece + content[at + length :]


def _quoted(text: str) -> str:
    """Write a basic string; JSON's escapes are TOML's, but for DEL, and pairs of surrogates."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
