"""What the image's GCC would refuse is refused, and what it would not know is kept from it."""

from __future__ import annotations

import shlex

import pytest

from tests.unit.shim_bench import CONF, Bench, build_bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return build_bench(tmp_path_factory.mktemp("shim"))


@pytest.fixture(autouse=True)
def _as_configured(bench: Bench) -> None:
    bench.configure()


@pytest.mark.parametrize("option", ["-march=native", "-mcpu=native", "-mtune=native"])
def test_native_machine_is_refused(bench: Bench, option: str) -> None:
    done = bench.run(f"gcc {option} -c x.c")
    assert (done.status, done.clang, done.real) == (1, [], [])
    assert f"{option} describes a machine that does not exist here" in done.err
    assert done.err.count("\n") == 1
    assert [line[:3] for line in bench.calls] == [["native", "cc", "1"]]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("gcc -march=armv9-a -c x.c", "unknown value for '-march=armv9-a'"),
        ("gcc -mcpu=haswell -c x.c", "unknown value for '-mcpu=haswell'"),
        ("gcc -mtune=haswell -c x.c", "unknown value for '-mtune=haswell'"),
        ("gcc -march=armv8-a+sme -c x.c", "unknown value for '-march=armv8-a+sme'"),
        ("gcc -march=armv8-a+sve+nosme -c x.c", "unknown value for '-march=armv8-a+sve+nosme'"),
        ("gcc -std=gnu23 -c conftest.c", "unrecognized command-line option '-std=gnu23'"),
        ("gcc -std=gnu23 conftest.c -o x", "unrecognized command-line option '-std=gnu23'"),
        ("g++ -stdlib=libc++ -c x.cc", "unrecognized command-line option '-stdlib=libc++'"),
    ],
)
def test_gccs_refusals_need_no_gcc(bench: Bench, command: str, said: str) -> None:
    done = bench.run(command)
    assert (done.status, done.clang, done.real) == (1, [], [])
    assert done.err == f"{command.partition(' ')[0]}: error: {said}\n"


@pytest.mark.parametrize(
    "command",
    [
        "gcc -march=armv8-a+sve+nocrypto -c x.c",
        "gcc -mcpu=cortex-a72 -c x.c",
        "gcc -std=gnu2x -c conftest.c",
        # CMake and Meson choose the dialect by clang's version, and do not ask.
        "gcc -std=gnu23 -c x.c",
        "g++ -std=c++23 -c x.cc",
        "g++ -stdlib=libstdc++ -c x.cc",
    ],
)
def test_what_gcc_knows_reaches_clang(bench: Bench, command: str) -> None:
    assert bench.run(command).words == command.split()[1:]


def test_gcc_without_a_list_of_machines_refuses_none(bench: Bench) -> None:
    """Old GCCs name none; the table then has no such line."""
    bench.configure(text=CONF)
    conf = bench.root / "work/shim.conf"
    lines = (line for line in conf.read_text().splitlines(keepends=True))
    conf.write_text("".join(line for line in lines if not line.startswith(("-mcpu=", "+"))))
    assert bench.run("gcc -mcpu=unheard -c x.c").status == 0
    assert bench.run("gcc -march=armv8-a+unheard -c x.c").status == 0


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            "gcc -Werror=unknown-warning-option -Wunused-command-line-argument -fopenmp -c x.c",
            "-fopenmp -c x.c",
        ),
        ("gcc -Wshorten-64-to-32 -Wno-shorten-64-to-32 -fopenmp -c x.c", "-fopenmp -c x.c"),
        ("gcc -Xclang -x -mllvm y --target=z -fopenmp -c x.c", "-fopenmp -c x.c"),
        ("gcc -fconstexpr-steps=9 -fcolor-diagnostics -fopenmp -c x.c", "-fopenmp -c x.c"),
        ("gcc -std=gnu23 -fopenmp -c x.c", "-std=gnu2x -fopenmp -c x.c"),
        ("g++ -std=c++23 -fopenmp -c x.cc", "-std=c++2a -fopenmp -c x.cc"),
        ("g++ -std=c++26 -fopenmp -c x.cc", "-std=c++2a -fopenmp -c x.cc"),
        ("g++ -std=gnu++23 -fopenmp -c x.cc", "-std=gnu++2a -fopenmp -c x.cc"),
        ("g++ -std=c++17 -fopenmp -c x.cc", "-std=c++17 -fopenmp -c x.cc"),
        (
            "gcc -fcolor-diagnostics -fopenmp -o 'a b' -I d -DX='a b' -MF x -Wlogical-op -c x.c",
            "-fopenmp -o 'a b' -I d -DX='a b' -MF x -Wlogical-op -c x.c",
        ),
    ],
)
def test_gcc_is_spared_what_only_clang_has(bench: Bench, command: str, words: str) -> None:
    """Projects give such options because `--version` says clang."""
    assert bench.run(command).real == [shlex.split(words)]
