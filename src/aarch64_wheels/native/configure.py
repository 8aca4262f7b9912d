"""Find the image's compilers, and write down what the shim must know of them.

A script of the standard library alone: a native CPython (>= 3.11) runs it in the aarch64 container
or in a Dockerfile's RUN. All it writes comes from the answers of the image's own GCC and linker
and of clang, so that no distribution is a special case.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: Names of compilers, the part each plays for the shim and where the image's own program is.
Tools = dict[str, tuple[str, str]]

_PREFIX, _VERSION = r"(?:aarch64[\w.]*(?:-[\w.]+)*-)?", r"(?:-\d[\d.]*)?"
_ROLES = {
    "cc": rf"{_PREFIX}g?cc{_VERSION}",
    "c++": rf"{_PREFIX}[gc]\+\+{_VERSION}",
    "cpp": rf"{_PREFIX}cpp{_VERSION}",
    "ld": rf"{_PREFIX}ld",
    "ar": rf"{_PREFIX}(?:gcc-)?ar{_VERSION}",
    "ranlib": rf"{_PREFIX}(?:gcc-)?ranlib{_VERSION}",
    "fortran": rf"{_PREFIX}(?:gfortran|f77|f95){_VERSION}",
}
#: CMake looks for the last two beside a clang before it believes in link-time optimisation.
_TWINS = {
    "cc": "gcc", "gcc": "cc", "c++": "g++", "g++": "c++", "llvm-ar": "ar", "llvm-ranlib": "ranlib",
}  # fmt: skip

#: Warnings that clang makes errors by itself. GCC does so with the first ones since version 14.
_ERRORS_SINCE_14 = """ implicit-function-declaration implicit-int int-conversion return-mismatch
 incompatible-pointer-types incompatible-function-pointer-types"""
_LENIENT = """c++11-narrowing reserved-user-defined-literal register invalid-constexpr
 missing-template-arg-list-after-template-kw"""

#: Questions whose answers are kept; the others go to GCC itself when somebody asks them.
_KEPT = """-dumpmachine -dumpversion -dumpfullversion -print-search-dirs -print-multiarch
 -print-libgcc-file-name -print-multi-lib -print-sysroot -print-prog-name=ld"""
_OLD = {"199409L": "89", "199711L": "98"}  # dates of standards that go by another year
_HELP = ("common", "target", "optimizers", "warnings", "c", "c++", "undocumented")
#: Options of GCC alone that change what is built: they need GCC. Its other options that clang does
#: not have tune optimisation, diagnostics or dumps, and are dropped.
_NEEDS_GCC = re.compile(
    r"-f(?:abi-version=|call-saved-|call-used-|callgraph-info|concepts|cond-mismatch|fixed-|gimple|"
    r"dump-(?!noaddr|unn)|gnu-tm|implement-inlines|keep-(?:inline|static)-functions|openacc|repo|"
    r"leading-underscore|no-unsigned-char|no-implicit-(?:inline-)?templates|no-weak|compare-debug|"
    r"non-call-exceptions|plan9-extensions|preprocessed|profile|branch-probabilities|auto-profile|"
    r"reg-struct-return|signaling-nans|single-precision-constant|sso-struct=|stack-check|"
    r"stack-limit|vtable-verify=|tree-parallelize-loops=|wide-exec-charset=|pre-include=|"
    r"instrument-functions-exclude)"
    r"|-m(?:bionic|uclibc|glibc|musl|track-speculation|big-endian|abi=)|-aux|--"
)
#: clang knows the option, but not for this machine, or only to ignore it.
_REFUSED = re.compile(r"(?:unsupported option|optimization flag|does not support) '([^']+)'")
#: Its driver knows these, and does not list them.
_DRIVER = "-Werror -Wno-error -Wfatal-errors -Werror-implicit-function-declaration"


@dataclass(frozen=True, kw_only=True)
class Gcc:
    """What the image's GCC is, read from its answers to `questions`."""

    answers: dict[str, str]

    @property
    def triplet(self) -> str:
        """What it calls the target."""
        return self.answers["-dumpmachine"].strip()

    @property
    def major(self) -> int:
        """The first number of its version."""
        return int(self.answers["-dumpversion"].split(".")[0])

    @property
    def install(self) -> str:
        """Where its libgcc is, which is what clang calls its installation."""
        return os.path.normpath(self.answers["-print-libgcc-file-name"].strip() + "/..")

    @property
    def link(self) -> tuple[str, ...]:
        """The words its linker would be called with for a program."""
        lines = re.findall(r"^ \S*/collect2\"? (.*)$", self.answers["link"], re.MULTILINE)
        return tuple(shlex.split(lines[0])) if lines else ()

    @property
    def libraries(self) -> list[str]:
        """The directories it looks for libraries in, in its order."""
        found = (os.path.normpath(word[2:]) for word in self.link if word.startswith("-L"))
        return list(dict.fromkeys(found))

    def macro(self, name: str, language: str = "c") -> str | None:
        """Give the value of what it predefines when it optimises, None if it does not."""
        text = self.answers[f"{language} macros"]
        found = re.search(rf"^#define {name} ?(.*)$", text, re.MULTILINE)
        return found[1] if found else None

    def has_on(self, option: str) -> bool:
        """Say whether an option is on by itself."""
        return bool(re.search(rf"^\s+{option}\s+\[enabled\]", self.answers["on"], re.MULTILINE))


def questions(tools: Tools, zig: Path) -> dict[str, tuple[str, ...]]:
    """Give the commands whose output tells everything, by what they tell."""
    cc, none = tools["gcc"][1], os.devnull
    cxx = tools.get("g++", ("", cc))[1]
    ld = next((path for role, path in tools.values() if role == "ld"), "true")
    return {
        **{question: (cc, question) for question in _KEPT.split()},
        "link": (cxx, "-###", "-x", "c", none, "-o", "probe"),
        "c macros": (cc, "-O2", "-dM", "-E", "-x", "c", none),
        "c++ macros": (cxx, "-dM", "-E", "-x", "c++", none),
        "on": (cc, "-Q", "--help=common", "--help=target"),
        "options": (cc, *(f"--help={part}" for part in _HELP)),
        "architectures": (cc, "-march=unheard-of", "-fsyntax-only", "-x", "c", none),
        "extensions": (cc, "-march=armv8-a+unheard-of", "-fsyntax-only", "-x", "c", none),
        "processors": (cc, "-mcpu=unheard-of", "-fsyntax-only", "-x", "c", none),
        "linker options": (ld, "--help"),
        "linker directories": (ld, "--verbose"),
        "compiler proper": (cc, "-print-prog-name=cc1"),
        "clang warnings": (str(zig), "clang", "--autocomplete=-W"),
        "clang options": (str(zig), "clang", "--autocomplete=-"),
    }


def find_tools(path: Iterable[Path]) -> Tools:
    """Look for compilers in the directories of `path`; of one name, the first counts."""
    tools: Tools = {}
    for directory in path:
        for file in sorted(directory.iterdir()) if directory.is_dir() else ():
            roles = [r for r, pattern in _ROLES.items() if re.fullmatch(pattern, file.name)]
            if roles and os.access(file, os.X_OK):
                tools.setdefault(file.name, (roles[0], str(file)))
    for name, twin in _TWINS.items():
        if name not in tools and twin in tools:
            tools[name] = tools[twin]
    return tools


def of_one_version(tools: Tools, ask: Callable[..., str]) -> Tools:
    """Leave out what is of another version than `gcc`: the shim stands in for one compiler."""
    # The same program or wrapper under several names need not be asked twice.
    compilers = {path for role, path in tools.values() if role in {"cc", "c++", "cpp"}}
    content = {path: Path(path).read_bytes() for path in compilers}
    versions = {each: ask(path, "-dumpversion") for path, each in content.items()}
    wanted = versions[content[tools["gcc"][1]]]
    other = {path for path, each in content.items() if versions[each] != wanted}
    return {name: tool for name, tool in tools.items() if tool[1] not in other}


def always(gcc: Gcc, native: Path) -> Iterator[str]:
    """Give GCC's manners for every call of clang."""
    sysroot = [word for word in gcc.link if word.startswith("--sysroot=")]
    yield f"--target={gcc.triplet}"
    yield from sysroot[:1] or ["--sysroot=/"]
    yield f"--gcc-install-dir={gcc.install}"
    yield from ("-resource-dir", f"{native}/zig/lib", f"--ld-path={native}/bin/ld.lld")
    yield from ("--rtlib=libgcc", "--unwindlib=libgcc", "-stdlib=libstdc++")
    # GCC has neither warning, so -Werror must not make errors of them.
    yield from ("-Wno-unused-command-line-argument", "-Wno-ignored-optimization-argument")
    yield from ("-ftrapping-math", "-ffp-contract=fast", "-fmath-errno")
    yield "-fPIE" if gcc.macro("__PIE__") else "-fno-PIE"
    yield "-fcommon" if gcc.major < 10 else "-fno-common"  # noqa: PLR2004
    yield f"-fdebug-default-version={4 if gcc.major < 11 else 5}"  # noqa: PLR2004
    yield "-moutline-atomics" if gcc.has_on("-moutline-atomics") else "-mno-outline-atomics"
    more = {
        "-fstack-protector-strong": gcc.macro("__SSP_STRONG__"),
        "-fstack-clash-protection": gcc.has_on("-fstack-clash-protection"),
        "-mbranch-protection=standard": gcc.macro("__ARM_FEATURE_PAC_DEFAULT"),
    }
    yield from (flag for flag, wanted in more.items() if wanted)


def link(gcc: Gcc) -> Iterator[str]:
    """Give what GCC tells its linker by itself, for lld."""
    words = gcc.link
    yield "-pie" if "-pie" in words else "-no-pie"
    yield "-Wl,-z,max-page-size=65536"  # or wheels break on kernels with 64 KiB pages
    yield "-Wl,--undefined-version"  # GNU ld accepts version scripts that name too much
    identity = next((word for word in words if word.startswith("--build-id")), "--build-id=none")
    yield f"-Wl,{identity}=sha1" if identity == "--build-id" else f"-Wl,{identity}"
    yield from (f"-Wl,{w}" for w in words if w.startswith(("--hash-style=", "--fix-cortex")))
    # What stands behind the result's name is about libgcc: `--push-state --as-needed -lgcc_s`.
    before = words[: words.index("-o")] if "-o" in words else ()
    yield from ("-Wl,--as-needed" for word in before if word == "--as-needed")
    yield from (f"-Wl,-z,{words[i + 1]}" for i, word in enumerate(words[:-1]) if word == "-z")
    if "-lgcc_eh" in words and "-lgcc_s" not in words:
        yield "-static-libgcc"


def option_table(gcc: Gcc, clang: Callable[..., str]) -> dict[str, str]:
    """Give what the shim does with each option that either compiler knows.

    p passes it, b passes it without its value, d drops it, f needs GCC, c is clang's alone.
    """
    names = re.findall(r"^  (-[^\s<\[]+)", gcc.answers["options"], re.MULTILINE)
    known = {name if name.startswith("-std") else re.sub(r"=.+", "=", name) for name in names}
    known |= {f"{n[:2]}no-{n[2:]}" for n in known if n[1] in "fmW" and n[-1] not in "=-"}
    listed = gcc.answers["clang warnings"] + gcc.answers["clang options"]
    ours = {line.split("\t")[0] for line in listed.splitlines()} | {*_DRIVER.split()}
    both = {f"{n}1" if n[-1] == "=" else n: n for n in known & ours if n[1] in "fgm"}
    said = " ".join(clang(*sorted(both)).split())  # -fmessage-length is among them
    ours -= {both.get(name, name) for name in _REFUSED.findall(said)}
    table = {name: _action(name, ours) for name in known}
    for name in ours:
        base = re.sub(r"=.*", "=", name)
        table.setdefault(name, "p" if base != name and base in known else "c")
    return {name: action for name, action in table.items() if re.fullmatch(r"-(?!.no-$)\S+", name)}


def _action(name: str, clang: set[str]) -> str:
    if name in clang:
        return "p"
    if name[:2] == "-W" and name.endswith("=") and name[:-1] in clang:
        return "b"
    return "f" if _NEEDS_GCC.match(name) else "d"


def machines(gcc: Gcc) -> Iterator[str]:
    """Give what GCC knows of machines, from its complaints: `-march=armv8-a`, `+sve`."""
    parts = {"architectures": "-march=", "processors": "-mcpu= -mtune=", "extensions": "+"}
    for question, options in parts.items():
        listed = re.search(r"valid arguments are: ([^;\n]+)", gcc.answers[question])
        values = listed[1].split() if listed else ()
        yield from (f"{option}{value}" for option in options.split() for value in values)


def builtins(compiler: Path) -> set[str]:
    """Give the builtin functions that GCC has, which no option of it lists."""
    names = re.findall(rb"\0(__builtin_\w+)(?=\0)", compiler.read_bytes())
    return {name.decode() for name in names}


def linker_options(text: str) -> set[str]:
    """Give the names in `ld --help`, without their dashes."""
    starts = (re.split(r"\s{2,}", line.strip())[0] for line in text.splitlines())
    return {name for start in starts for name in re.findall(r"(?:^|, )--?(\w[\w-]*)", start)}


def configuration(
    tools: Tools, gcc: Gcc, native: Path, policy: str, clang: Callable[..., str]
) -> Iterator[str]:
    """Give the lines of shim.conf."""
    yield f"policy {policy}"
    yield from (f"tool {name} {role} {path}" for name, (role, path) in sorted(tools.items()))
    date = gcc.macro("__STDC_VERSION__") or "199409L"
    yield f"std-c gnu{_OLD.get(date, date[2:4])}"
    date = gcc.macro("__cplusplus", "c++") or ""
    yield f"std-c++ gnu++{_OLD.get(date, date[2:4])}" if date else "std-c++"
    yield from (f"always {flag}" for flag in always(gcc, native))
    lenient = _LENIENT + (_ERRORS_SINCE_14 if gcc.major < 14 else "")  # noqa: PLR2004
    yield from (f"lenient -Wno-error={name}" for name in lenient.split())
    yield from ("headers -idirafter", f"headers {gcc.install}/include")  # omp.h and the like
    yield from (f"link {flag}" for flag in link(gcc))
    yield from (f"{key}{place}" for key in ("link-last -L", "libdir ") for place in gcc.libraries)
    searched = re.findall(r'SEARCH_DIR\("=?([^"]+)"\)', gcc.answers["linker directories"])
    yield from ("ld-last -z", "ld-last max-page-size=65536")
    yield from (f"ld-last -L{directory}" for directory in dict.fromkeys(searched))
    yield "options"
    table = option_table(gcc, clang) | dict.fromkeys(machines(gcc), "p")
    table |= {f"ld:{name}": "p" for name in linker_options(gcc.answers["linker options"])}
    compiler = Path(gcc.answers["compiler proper"].strip())
    table |= dict.fromkeys(builtins(compiler) if compiler.is_file() else (), "p")
    yield from (f"{name} {table[name]}" for name in sorted(table, key=os.fsencode))


def ask(*words: str) -> str:
    """Run a program as if the caller had told compilers nothing; give what it said."""
    path = ("LIBRARY_PATH", "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "GCC_EXEC_PREFIX")
    environment = {k: v for k, v in os.environ.items() if k not in path} | {"LC_ALL": "C"}
    done = subprocess.run(words, env=environment, capture_output=True, check=False)
    return (done.stdout or done.stderr).decode(errors="replace")


def write(work: Path, native: Path, tools: Tools, gcc: Gcc, policy: str) -> None:
    """Write the links, the answers and shim.conf below `work`."""
    for directory in (work / "compilers", work / "answers"):
        directory.mkdir(parents=True, exist_ok=True)
    for question in _KEPT.split():
        (work / "answers" / question.lstrip("-")).write_text(gcc.answers[question])
    target = ("clang", "-fno-color-diagnostics", f"--target={gcc.triplet}", "-###", "-c")

    def clang(*options: str) -> str:
        return ask(str(native / "zig/zig"), *target, "-x", "c", os.devnull, *options)

    lines = configuration(tools, gcc, native, policy, clang)
    (work / "shim.conf").write_text("\n".join(lines) + "\n")
    for name in tools:
        (work / "compilers" / name).unlink(missing_ok=True)
        (work / "compilers" / name).symlink_to(native / "shim")


def main() -> int:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policy", choices=("auto", "native-only"), default="auto")
    parser.add_argument("--native", type=Path, default=Path("/native"))
    parser.add_argument("--work", type=Path, default=Path("/aarch64-wheels"))
    options = parser.parse_args()
    ours = {options.native, options.work}
    path = [Path(part) for part in os.environ["PATH"].split(":")]
    path = [part for part in path if not ours & {part, *part.parents}]
    tools = find_tools(path)
    if "gcc" not in tools:
        sys.stderr.write("this image has no gcc: nothing to stand in for\n")
        return 1
    os.environ["PATH"] = ":".join(map(str, path))
    tools = of_one_version(tools, ask)
    asked = questions(tools, options.native / "zig/zig")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        said = pool.map(lambda words: ask(*words), asked.values())
    gcc = Gcc(answers=dict(zip(asked, said, strict=True)))
    write(options.work, options.native, tools, gcc, options.policy)
    sys.stdout.write(f"{gcc.triplet}, GCC {gcc.major}: {len(tools)} names of compilers\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
