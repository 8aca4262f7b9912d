"""Find the image's compilers, and write down what the shim must know of them.

A script that needs the standard library and its sibling alone: a native CPython (>= 3.11) runs it
in the aarch64 container or in a Dockerfile's RUN. All it writes comes from the answers of the
image's own GCC and linker and of clang, so that no distribution is a special case.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from aarch64_wheels.native.gcc_answers import KEPT, Question, UnansweredError, ask, ask_all
else:  # where it runs as a script, the other one is beside it
    sys.path.insert(0, str(Path(__file__).parent))
    from gcc_answers import KEPT, Question, UnansweredError, ask, ask_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from aarch64_wheels.native.gcc_answers import Gcc, Tools

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
#: Where, in our directory, headers are that only GCC has.
HEADERS = "headers"
#: CMake looks for the last two beside a clang before it believes in link-time optimisation.
_TWINS = {
    "cc": "gcc", "gcc": "cc", "c++": "g++", "g++": "c++", "llvm-ar": "ar", "llvm-ranlib": "ranlib",
}  # fmt: skip

#: Warnings that clang makes errors by itself. GCC does so with the first ones since version 14.
_ERRORS_SINCE_14 = """ implicit-function-declaration implicit-int int-conversion return-mismatch
 incompatible-pointer-types incompatible-function-pointer-types"""
_LENIENT = """c++11-narrowing reserved-user-defined-literal register invalid-constexpr
 missing-template-arg-list-after-template-kw"""

_OLD = {"199409L": "89", "199711L": "98"}  # dates of standards that go by another year
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


def of_one_version(tools: Tools) -> Tools:
    """Leave out what is of another version than `gcc`: the shim stands in for one compiler."""
    # The same program or wrapper under several names need not be asked twice.
    compilers = {path for role, path in tools.values() if role in {"cc", "c++", "cpp"}}
    content = {path: Path(path).read_bytes() for path in compilers}
    versions = {each: _version(path) for path, each in content.items()}
    wanted = versions[content[tools["gcc"][1]]]
    other = {path for path, each in content.items() if versions[each] != wanted}
    return {name: tool for name, tool in tools.items() if tool[1] not in other}


def _version(compiler: str) -> str:
    return ask(Question(words=(compiler, "-dumpversion"), needed=False))


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
    # Not -fsemantic-interposition, GCC's default: unlike GCC, clang then inlines no template and
    # no `inline` function either. Who needs it can give it.
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
    tools: Tools, gcc: Gcc, native: Path, work: Path, policy: str, clang: Callable[..., str]
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
    yield from ("headers -idirafter", f"headers {work / HEADERS}")
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


def link_headers(gcc: Gcc, native: Path, directory: Path) -> None:
    """Have headers at hand that come with GCC and not with clang, such as omp.h.

    Only these: of a header that both have, clang's may go on to the next one of that name
    (`#include_next` in its stdatomic.h), and GCC's is not written for it.
    """
    directory.mkdir(exist_ok=True)
    for header in sorted(Path(gcc.install, "include").glob("*")):
        if not (native / "zig/lib/include" / header.name).exists():
            (directory / header.name).unlink(missing_ok=True)
            (directory / header.name).symlink_to(header)


def write(work: Path, native: Path, tools: Tools, gcc: Gcc, policy: str) -> None:
    """Write the links, the answers and shim.conf below `work`."""
    for directory in (work / "compilers", work / "answers"):
        directory.mkdir(parents=True, exist_ok=True)
    link_headers(gcc, native, work / HEADERS)
    for question in KEPT:
        # Where there is no record (old GCCs lack some questions), the shim lets GCC answer.
        if gcc.answers[question]:
            (work / "answers" / question.lstrip("-")).write_text(gcc.answers[question])
    target = ("clang", "-fno-color-diagnostics", f"--target={gcc.triplet}", "-###", "-c")

    def clang(*options: str) -> str:
        words = (str(native / "zig/zig"), *target, "-x", "c", os.devnull, *options)
        return ask(Question(words=words, complaint=True))

    lines = configuration(tools, gcc, native, work, policy, clang)
    (work / "shim.conf").write_text("\n".join(lines) + "\n")
    for name in tools:
        (work / "compilers" / name).unlink(missing_ok=True)
        (work / "compilers" / name).symlink_to(native / "shim")


def configure(path: list[Path], options: argparse.Namespace) -> str:
    """Ask the compilers in the directories of `path` and write; give a line that says what.

    Raises:
        UnansweredError: there is no GCC, or it does not answer.
    """
    tools = find_tools(path)
    if "gcc" not in tools:
        raise UnansweredError("this image has no gcc: nothing to stand in for")
    tools = of_one_version(tools)
    gcc = ask_all(tools, options.native / "zig/zig")
    write(options.work, options.native, tools, gcc, options.policy)
    return f"{gcc.triplet}, GCC {gcc.major}: {len(tools)} names of compilers"


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
    os.environ["PATH"] = ":".join(map(str, path))
    try:
        sys.stdout.write(f"{configure(path, options)}\n")
    except UnansweredError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
