"""Projects' questions to the compiler: the shim's answers are those of the image's own GCC.

A difference needs a sentence in `EXPLAINED`, a call of GCC one in `FALLBACKS`. Both tables fail
when they say more than is so.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from tests.integration.conftest import PROJECTS
from tests.integration.probes import PLACE, Comparison, cached, compare, fingerprint

if TYPE_CHECKING:
    from tests.integration.conftest import Accelerated

IS_CLANG = (
    "The compiler says that it is clang: CMake and Meson choose their own options by that,"
    " and a clang that calls itself GCC would be given options it lacks."
)
NEWER = (
    "clang knows newer standards. CMake passes them because the compiler is clang, so they must"
    " not be refused; a fallback is given GCC's newest."
)
MACROS = "A predefined macro of clang's own; __GNUC__ says 4 because clang promises no more."
CLANG_ALONE = "An option of clang's, which Meson passes by itself; a fallback leaves it out."
FINDS = "What the shim's name and clang's own headers are called, and where they are."
LINKER = "lld is what links, and has options of its own; the image has no lld for its GCC."
NO_WARNING = "GCC warns that the option is for another language; clang takes it in silence."
NOT_A_CALL = (
    "clang takes a library function that is named but not declared for its builtin, with a"
    " warning; GCC refuses. Autoconf then adds -fno-builtin to its checks of declarations."
)
STRICT = "Meson adds -Werror=implicit-function-declaration itself where the compiler is clang."
ATTRIBUTE = (
    "clang ignores the attribute with a warning, which this check looks for. With -Werror, as"
    " Meson asks, it is GCC's to answer."
)

#: What differs, and why that is right.
EXPLAINED = {
    "autoconf ac_cv_c_undeclared_builtin_options": NOT_A_CALL,
    "autoconf lt_cv_path_LD": FINDS,
    "autoconf lt_cv_prog_compiler_rtti_exceptions": NO_WARNING,
    "autoconf probe_cv_f_clang_warnings": CLANG_ALONE,
    "cmake CMAKE_C_COMPILER_ID": IS_CLANG,
    "cmake CMAKE_C_COMPILER_VERSION": IS_CLANG,
    "cmake CMAKE_C_IMPLICIT_INCLUDE_DIRECTORIES": FINDS,
    "cmake CMAKE_CXX_COMPILER_ID": IS_CLANG,
    "cmake CMAKE_CXX_COMPILER_VERSION": IS_CLANG,
    "cmake CMAKE_CXX_COMPILE_FEATURES": NEWER,
    "cmake CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES": FINDS,
    "cmake CXX_Wstrict_prototypes": NO_WARNING,
    "cmake CXX_std_cxx23": NEWER,
    "cmake C_optimize_attribute": ATTRIBUTE,
    "cmake C_std_c23": NEWER,
    "cmake LINK_Wl___icf_all": LINKER,
    "cmake SYMBOL_clang": IS_CLANG,
    "meson c -Werror=unused-command-line-argument": CLANG_ALONE,
    "meson cc_id": IS_CLANG,
    "meson cc_linker": IS_CLANG,
    "meson cc_version": IS_CLANG,
    "meson compiles implicit function": STRICT,
    "meson cxx -fconstexpr-steps=9": CLANG_ALONE,
    "meson cxx -std=c++26": NEWER,
    "meson cxx define __GXX_ABI_VERSION": MACROS,
    "meson cxx_id": IS_CLANG,
    "meson define __GNUC__": MACROS,
    "meson define __WCHAR_UNSIGNED__": MACROS,
    "meson define __clang__": MACROS,
    "meson link -fuse-ld=lld": LINKER,
}

#: Why a probe may cost a call of GCC: reasons as regular expressions, how often at most, and why.
FALLBACKS = {
    "(language )?openmp": (15, "OpenMP is GCC's to compile; each project asks for it once."),
    "nested-function": (2, "It is GCC's extension, and the answer is yes."),
    "vla-in-struct": (1, "It is GCC's extension, and the answer is yes."),
    "-fno-implicit-templates": (1, "It changes what is built, and clang can't; the answer is yes."),
    "-fplugin=probe-nothing": (1, "Plugins are GCC's own."),
    r"error unknown target ABI 'lp64'": (1, "A spelling of GCC's, and the answer is yes."),
    r"error unknown -z value: .*": (1, "GNU ld has words for -z that lld lacks."),
    r"error __float128 is not supported .*": (1, "GCC has types that clang lacks."),
    r"error SVE vector type .*": (1, "GCC and clang differ on where SVE may be used."),
    "werror -W.*": (7, "With -Werror, what is worth a warning is GCC's to say."),
    "inline-asm": (1, "GNU as knows more than clang's assembler (a header for x86 has some)."),
}


@pytest.fixture(scope="module")
def comparison(
    accelerated: Accelerated, debian_image: str, request: pytest.FixtureRequest
) -> Comparison:
    """Both sides' answers. GCC's take minutes under emulation, so pytest's cache keeps them."""
    projects = PROJECTS / "probes"
    key = f"probes/{fingerprint(debian_image, projects)}"
    with accelerated() as session:
        found = compare(session, projects, request.config.cache.get(key, None))
    request.config.cache.set(key, found.gcc)
    return found


def test_both_sides_answer_the_same_questions(comparison: Comparison) -> None:
    assert comparison.gcc.keys() == comparison.shim.keys()
    asked = Counter(name.split()[0] for name in comparison.gcc)
    assert asked["autoconf"] >= 120
    assert asked["cmake"] >= 100
    assert asked["meson"] >= 160


def test_differences_are_explained(comparison: Comparison) -> None:
    shown = {name: (comparison.gcc[name], comparison.shim[name]) for name in comparison.differing()}
    unexplained = {name: both for name, both in shown.items() if name not in EXPLAINED}
    assert unexplained == {}, "GCC's answer, the shim's"


def test_no_explanation_has_outlived_its_difference(comparison: Comparison) -> None:
    assert EXPLAINED.keys() - comparison.differing() == set()


# Without this, two sides that answer no to everything would agree.
@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("autoconf ac_cv_sizeof_long_double", "16"),
        ("autoconf ac_cv_c_char_unsigned", "yes"),
        ("autoconf ac_cv_func_strlcpy", "no"),
        ("autoconf lt_cv_prog_compiler_pic_works", "yes"),
        ("autoconf ac_cv_prog_c_openmp", "-fopenmp"),
        ("autoconf probe_cv_nested_function", "yes"),
        ("cmake C_aligned_64k", "1"),
        ("cmake CXX_exceptions", "1"),
        ("cmake HAVE_IPO", "YES"),
        ("cmake C_fprobe_nothing", ""),
        ("meson c -ftrapping-math", "true"),
        ("meson c -march=armv8.2-a+fp16", "true"),
        ("meson c -march=armv9.2-a+sme", "false"),
        ("meson c -fopenmp", "true"),
        ("meson sizeof long double", "16"),
        ("meson sizeof double _Complex", "16"),
        ("meson link script", "true"),
        ("meson runs contracts", "1"),
        ("meson runs division by zero is seen", "0"),
        ("meson compiles optimize attribute", "true"),
    ],
)
def test_the_shim_answers(comparison: Comparison, name: str, answer: str) -> None:
    assert comparison.shim[name] == answer


def test_the_shim_served_its_own_side_alone(comparison: Comparison) -> None:
    places = [PurePosixPath(call.directory) for call in comparison.calls]
    assert [place for place in places if place.is_relative_to(PLACE / "gcc")] == []
    assert sum(call.native for call in comparison.calls) > 200


def test_few_probes_cost_a_call_of_gcc(comparison: Comparison) -> None:
    reasons = Counter(call.reason for call in comparison.calls if not call.native)
    print(reasons)
    unexplained = {
        reason: count
        for reason, count in reasons.items()
        if not any(re.fullmatch(known, reason) for known in FALLBACKS)
    }
    assert unexplained == {}
    for known, (most, why) in FALLBACKS.items():
        assert 0 < _count(reasons, known) <= most, (known, why)


def _count(reasons: Counter[str], known: str) -> int:
    return sum(count for reason, count in reasons.items() if re.fullmatch(known, reason))


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("ac_cv_type_a=${ac_cv_type_a=yes}", {"ac_cv_type_a": "yes"}),
        ("ac_cv_opts=${ac_cv_opts='none needed'}", {"ac_cv_opts": "'none needed'"}),
        ("probe_cv_a=${probe_cv_a=}", {"probe_cv_a": ""}),
        (
            "test ${lt_cv_pipe+y} || lt_cv_pipe='s/a/{b}/'",
            {"lt_cv_pipe": "'s/a/{b}/'"},
        ),
        ("ac_cv_env_CC_set=", {}),
        ("# ac_cv_type_a=${ac_cv_type_a=yes}", {}),
    ],
    ids=["plain", "quoted", "empty", "with braces", "the environment", "a comment"],
)
def test_a_line_of_config_cache(line: str, answers: dict[str, str]) -> None:
    assert cached(line) == answers
