"""Which calls go to the image's own compiler, before clang is tried or after it failed."""

from __future__ import annotations

import pytest

from tests.unit.shim_bench import Bench, build_bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return build_bench(tmp_path_factory.mktemp("shim"))


@pytest.fixture(autouse=True)
def _as_configured(bench: Bench) -> None:
    bench.configure()


#: Calls that clang is not even asked about, and the reason.
AT_ONCE = [
    ("gcc -fopenmp -c x.c", "openmp"),
    ("gcc -fopenmp x.c y.o -o x", "openmp"),
    ("g++ -fopenmp -E x.cc", "openmp"),
    ("gcc -c x.f90", "fortran"),
    ("gcc -c x.F", "fortran"),
    ("gfortran -c x.f", "fortran"),
    ("gfortran x.o -o x", "fortran"),
    ("gcc -c x.m", "language of the source"),
    ("gcc -c x.adb", "language of the source"),
    ("gcc -x objective-c -c x", "language objective-c"),
    ("gcc -x f95 -c x", "language f95"),
    ("gcc -fplugin=/p.so -c x.c", "-fplugin=/p.so"),
    ("gcc -fsanitize=address -c x.c", "-fsanitize=address"),
    ("gcc -fsanitize=undefined x.o", "-fsanitize=undefined"),
    ("gcc --coverage -c x.c", "--coverage"),
    ("gcc --coverage x.o", "--coverage"),
    ("gcc -fprofile-generate -c x.c", "-fprofile-generate"),
    ("gcc -fprofile-use=x.profdata -c x.c", "-fprofile-use=x.profdata"),
    ("gcc -fopenacc -c x.c", "-fopenacc"),
    ("gcc -wrapper echo -c x.c", "-wrapper"),
    ("gcc -traditional-cpp -E x.c", "-traditional-cpp"),
    ("gcc -fabi-version=2 -c x.c", "-fabi-version=2"),
    ("gcc -fkeep-inline-functions -c x.c", "-fkeep-inline-functions"),
    ("gcc -ffixed-x18 -c x.c", "-ffixed-x18"),
    ("gcc --weird -c x.c", "--weird"),
]


@pytest.mark.parametrize(("command", "reason"), AT_ONCE, ids=[c for c, _ in AT_ONCE])
def test_gcc_is_asked_at_once(bench: Bench, command: str, reason: str) -> None:
    done = bench.run(command, REAL_STATUS="3", REAL_STDOUT="said", REAL_STDERR="warned")
    assert done.clang == []
    assert done.real == [command.split()[1:]]
    assert (done.status, done.out, done.err) == (3, "said", "warned")
    assert [(line[0], line[2], line[4]) for line in bench.calls] == [("fallback", "3", reason)]


@pytest.mark.parametrize(("command", "reason"), AT_ONCE[:1] + AT_ONCE[12:13])
def test_native_only_makes_it_an_error(bench: Bench, command: str, reason: str) -> None:
    bench.configure(policy="native-only")
    done = bench.run(command)
    assert (done.status, done.clang, done.real) == (1, [], [])
    assert done.err == f"aarch64-wheels: {reason}: not allowed by --compiler native-only\n"
    assert [(line[0], line[2], line[4]) for line in bench.calls] == [("native", "1", reason)]


#: What clang or lld says of a failure, and why GCC gets its turn.
HINTS = [
    ("x.c:1:2: error: function definition is not allowed here", "nested-function"),
    ("x.c:1:2: error: use of unknown builtin '__builtin_apply'", "builtin __builtin_apply"),
    (
        "x.c:1:2: error: use of undeclared identifier '__builtin_goto'",
        "builtin __builtin_goto",
    ),
    (
        "x.c:1:2: error: fields must have a constant size: 'variable length array in structure'",
        "vla-in-struct",
    ),
    ("x.c:1:2: error: variable-sized object may not be initialized", "vla-initializer"),
    (
        "gcc: error: unsupported option '-mstrict-align' for target 'a'",
        "unsupported-option -mstrict-align",
    ),
    ("gcc: error: unknown argument: '-fwrapv'", "unsupported-option -fwrapv"),
    (
        "gcc: error: unsupported argument 'x' to option '-fvisibility='",
        "unsupported-option -fvisibility=",
    ),
    ("gcc: error: invalid value 'x' in '-fpack-struct=x'", "unsupported-option -fpack-struct=x"),
    ("error: invalid value 'c++11' in '-std=c++11'", "unsupported-option -std=c++11"),
    ("x.c:1:2: error: unknown register name 'cc1' in asm", "register cc1"),
    ("<inline asm>:1:2: error: expected comma", "inline-asm"),
    ("x.c:1:2: error: invalid operand in inline asm: 'mov $0'", "inline-asm"),
    ("x.c:1:2: error: 'section' attribute only applies to functions", "attribute section"),
    (
        "x.c:1:2: error: always_inline function 'f' requires target feature 'crc'",
        "target-feature",
    ),
    ("x.c:1:2: error: 'f' needs target feature sve", "target-feature"),
    (
        "x.cc:1:2: error: constexpr variable 'x' must be initialized by a constant expression",
        "constant-expression",
    ),
    (
        "x.c:1:2: error: initializer element is not a compile-time constant",
        "constant-expression",
    ),
    ("x.c:1:2: error: 'main' must return 'int'", "main-return-type"),
    ("error: file 'p.gch' is not a valid precompiled PCH file", "precompiled-header"),
    ("x.c:1:2: error: cannot compile this thing yet", "unsupported-code"),
    (
        "x.cc:1:2: error: 'f' that is neither visible in the template definition nor found by",
        "two-phase-lookup",
    ),
    ("ld.lld: error: undefined symbol: __builtin_apply", "builtin __builtin_apply"),
    ("ld.lld: error: undefined symbol: __gcov_init", "gcov-runtime"),
    ("ld.lld: error: unknown argument '--warn-once'", "unknown-option warn-once"),
    ("x.c:1:2: error: something never heard of", "error something never heard of"),
    ("x.c:1:2: fatal error: something else", "error something else"),
    ("", "clang-crash"),
    ("LLVM ERROR: out of registers", "clang-crash"),
    # Colours hide nothing.
    ("\033[1mx.c:1:2: \033[0m\033[0;1;31merror: \033[0mx \033[1mattribute\033[0m", "attribute "),
    # A hint counts although other errors follow or precede.
    (
        "x.c:1:2: error: expected ';'\nx.c:2:2: error: function definition is not allowed here",
        "nested-function",
    ),
]


@pytest.mark.parametrize(("said", "reason"), HINTS, ids=[r or "-" for _, r in HINTS])
def test_hints_ask_gcc(bench: Bench, said: str, reason: str) -> None:
    done = bench.run("gcc -c x.c", ZIG_STATUS="1", ZIG_STDERR=f"{said}\n", REAL_STDERR="mine")
    assert (done.status, done.err) == (0, "mine")
    assert done.real == [["-c", "x.c"]]
    assert [(line[0], line[4]) for line in bench.calls] == [("fallback", reason)]


#: Errors that GCC would report too.
FINAL = [
    "x.c:1:2: fatal error: 'nope.h' file not found",
    "x.c:1:2: error: use of undeclared identifier 'nope'",
    "x.c:1:2: error: call to undeclared function 'nope'",
    "x.c:1:2: error: expected ';' after expression",
    "x.c:1:2: error: unknown type name 'nope'",
    "x.c:1:2: error: 'a' declared as an array with a negative size",
    "x.c:1:2: error: too few arguments to function call, expected 2, have 1",
    "gcc: error: no such file or directory: 'x.c'",
    "gcc: error: no input files",
    "gcc: error: unknown argument: '-fnonesuch'",
    "gcc: error: unsupported option '-mavx2' for target 'aarch64-unknown-linux-gnu'",
    "gcc: error: unsupported option '-msse2' for target 'aarch64-unknown-linux-gnu'",
    "error: invalid value 'c++99' in '-std=c++99'",
    "error: unknown warning option '-Wnonesuch' [-Werror,-Wunknown-warning-option]",
    "ld.lld: error: undefined symbol: nope\ngcc: error: linker command failed with exit code 1",
    "ld.lld: error: unable to find library -lnope",
    "ld.lld: error: duplicate symbol: main",
    "ld.lld: error: cannot open x.o: No such file or directory",
    "ld.lld: error: unknown argument '--nonesuch=1'",
    "x.c:1:2: error: no luck\n    1 | #error no luck",
    "x.c:1:2: error: use of unknown builtin '__builtin_ia32_pause'",
    "ld.lld: error: undefined symbol: __builtin_nonesuch",
    "x.c:1:2: error: option 'cf-protection=return' cannot be specified on this target",
    "x.c:1:2: error: expected identifier\nx.c:1:3: error: unknown type name 'nope'",
]


@pytest.mark.parametrize("said", FINAL)
def test_genuine_errors_are_final(bench: Bench, said: str) -> None:
    done = bench.run("gcc -c x.c", ZIG_STATUS="1", ZIG_STDERR=f"{said}\n")
    assert (done.status, done.err, done.real) == (1, f"{said}\n", [])
    assert [(line[0], line[2], line[4]) for line in bench.calls] == [("native", "1", "-")]


#: Errors that GCC reports nearly always.
NEARLY = [
    "x.c:1:2: error: no member named 'nope' in 'struct s'",
    "x.c:1:2: error: static assertion failed due to requirement 'sizeof(int) == 8'",
    "x.c:1:2: error: conflicting types for 'f'",
    "x.c:1:2: error: redefinition of 'f'",
    "x.cc:1:2: error: no matching function for call to 'f'",
    "x.cc:1:2: error: call to 'f' is ambiguous",
    "x.cc:1:2: error: call to deleted function 'f'\nx.cc:1:3: error: use of deleted function",
    "x.c:1:2: error: incompatible pointer to integer conversion [-Wint-conversion]",
]


@pytest.mark.parametrize("said", NEARLY)
def test_nearly_genuine_errors_are_final_for_probes(bench: Bench, said: str) -> None:
    """Probes fail by them all the time; a project's own file does so once, and stops the build."""
    environment = {"ZIG_STATUS": "1", "ZIG_STDERR": f"{said}\n"}
    assert bench.run("gcc -c conftest.c", **environment).real == []
    assert bench.run("gcc -c CMakeFiles/CMakeScratch/TryCompile-x/src.c", **environment).real == []
    assert bench.run("g++ -c /b/meson-private/tmpx/testfile.cpp", **environment).real == []
    assert bench.run("gcc -c project.c", **environment).real == [["-c", "project.c"]]


CPU = "error: unknown target CPU '{}'"
ARCH = "gcc: error: unsupported argument '{}' to option '-march='"


@pytest.mark.parametrize(
    ("option", "said"), [("-mcpu=old", CPU), ("-mtune=old", CPU), ("-march=armv8-a+crypto", ARCH)]
)
def test_machines_of_gcc_alone_need_gcc(bench: Bench, option: str, said: str) -> None:
    message = said.format(option.split("=")[1])
    done = bench.run(f"gcc {option} -c x.c", ZIG_STATUS="1", ZIG_STDERR=f"{message}\n")
    assert done.real == [[option, "-c", "x.c"]]


WERROR = "x.c:1:2: error: unused variable 'x' [-Werror,-Wunused-variable]"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        # GCC may not warn of it, so the error may be clang's alone.
        ("-Werror", "werror -Wunused-variable"),
        ("-Werror -Wall", "werror -Wunused-variable"),
        ("-Werror=unused-variable", "-"),
        ("-Werror -Werror=unused-variable", "-"),
    ],
)
def test_warnings_made_errors(bench: Bench, options: str, reason: str) -> None:
    bench.run(f"gcc {options} -c x.c", ZIG_STATUS="1", ZIG_STDERR=f"{WERROR}\n")
    assert bench.calls[0][4] == reason


@pytest.mark.parametrize(
    ("text", "reason"), [("GCC 7 or later is required", "#error"), ("no zlib", "-")]
)
def test_hash_error_about_compilers(bench: Bench, text: str, reason: str) -> None:
    """clang calls itself GCC 4.2: a project may refuse it for that."""
    said = f"x.c:3:2: error: {text}\n    3 | # error {text}\n      |  ^\n"
    bench.run("gcc -c x.c", ZIG_STATUS="1", ZIG_STDERR=said)
    assert bench.calls[0][4] == reason


def test_assembly_belongs_to_gnu_as(bench: Bench) -> None:
    said = "x.S:1:2: error: expected comma\n"
    bench.run("gcc -c x.S", ZIG_STATUS="1", ZIG_STDERR=said)
    bench.run("gcc -c x.c", ZIG_STATUS="1", ZIG_STDERR=said)
    bench.run("gcc -c x.S", ZIG_STATUS="1", ZIG_STDERR="x.S:1:2: error: 'a.h' file not found\n")
    assert [line[4] for line in bench.calls] == ["assembler", "-", "-"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("expected ';'", "-fpermissive"),
        ("assigning to 'int' from incompatible type", "-fpermissive"),
        (
            "use of undeclared identifier 'f'\nx.h:1:2: note: in dependent base class",
            "-fpermissive",
        ),
        # Meson gives -fpermissive to every probe.
        ("use of undeclared identifier 'f'", "-"),
        ("'nope.h' file not found", "-"),
        ("undefined symbol: f", "-"),
        ("no luck\n    1 | #error no luck", "-"),
    ],
)
def test_fpermissive_asks_gcc_where_it_may_help(bench: Bench, said: str, reason: str) -> None:
    message = f"x.cc:1:2: error: {said}\n"
    bench.run("g++ -fpermissive -c conftest.cc", ZIG_STATUS="1", ZIG_STDERR=message)
    assert bench.calls[0][4] == reason


def test_unknown_builtin_is_no_success(bench: Bench) -> None:
    """clang takes it for an undeclared function, and the link would fail."""
    said = "x.c:1:2: warning: use of unknown builtin '__builtin_apply' [-Wx]\n"
    done = bench.run("gcc -c x.c", ZIG_STDERR=said)
    assert done.real == [["-c", "x.c"]]
    assert bench.calls[0][4] == "builtin __builtin_apply"


def test_unknown_builtin_that_gcc_lacks_too_is_no_reason(bench: Bench) -> None:
    said = "x.c:1:2: warning: use of unknown builtin '__builtin_nonesuch' [-Wx]\n"
    done = bench.run("gcc -c x.c", ZIG_STDERR=said)
    assert (done.status, done.err, done.real) == (0, said, [])


def test_warnings_of_a_success_are_shown(bench: Bench) -> None:
    said = "x.c:1:2: warning: unknown attribute 'x' ignored\n"
    done = bench.run("gcc -c x.c", ZIG_STDERR=said)
    assert (done.status, done.err, done.real) == (0, said, [])


def test_native_only_shows_clangs_words_too(bench: Bench) -> None:
    bench.configure(policy="native-only")
    said = "x.c:1:2: error: function definition is not allowed here\n"
    done = bench.run("gcc -c x.c", ZIG_STATUS="1", ZIG_STDERR=said)
    last = "aarch64-wheels: nested-function: not allowed by --compiler native-only\n"
    assert (done.status, done.err, done.real) == (1, said + last, [])


def test_lto_of_a_fallback_leaves_code_for_lld(bench: Bench) -> None:
    assert bench.run("gcc -flto -fopenmp -c x.c").real[0][-1] == "-ffat-lto-objects"
    assert "-ffat-lto-objects" not in bench.run("gcc -flto -fopenmp -E x.c").real[0]
    assert "-ffat-lto-objects" not in bench.run("gcc -fopenmp -c x.c").real[0]


@pytest.mark.parametrize(
    ("said", "real"),
    [
        ("ld.lld: error: unknown argument '--warn-once'", [["--warn-once", "x.o"]]),
        ("ld.lld: error: undefined symbol: f", []),
    ],
)
def test_direct_link(bench: Bench, said: str, real: list[list[str]]) -> None:
    done = bench.run("ld --warn-once x.o", ZIG_STATUS="1", ZIG_STDERR=f"{said}\n")
    assert done.real == real
