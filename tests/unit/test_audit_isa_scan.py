"""What a scan says of objects: which instructions, which detection, what is left unguarded."""

from __future__ import annotations

import pytest

from aarch64_wheels.audit.isa import instruction_at, scan
from tests.unit.isa_samples import (
    ATOMICS_BIT,
    BRANCH,
    BTI_C,
    CNTD,
    CRC32_BIT,
    CRC32B,
    FLAG,
    HWCAP,
    HWCAP2,
    IDENTITY,
    KEEP,
    LDADD,
    NOP,
    PAGE_SIZE,
    RESOLVE,
    RET,
    SME_BIT,
    TEXT,
    TPIDR2,
    WHILELO,
    Call,
    Page,
    Sample,
    Words,
)

ASK = Call("getauxval")
USE: dict[str, Words] = {"compute": (NOP, WHILELO, RET)}
ATOMIC: dict[str, Words] = {"helper": (BTI_C, *FLAG, LDADD, RET)}
CONSTRUCTOR: dict[str, Words] = {"set_up": (HWCAP, ASK, ATOMICS_BIT, *KEEP, RET)}
LOADED: Words = (Page("getauxval"), Call("getauxval", "load"), HWCAP, 0xD63F0200, RET)


def sample(functions: dict[str, Words], **more: object) -> Sample:
    called = [word for words in functions.values() for word in words if isinstance(word, Call)]
    imports = tuple(dict.fromkeys(one.name for one in called if one.name not in functions))
    return Sample(functions=functions, imports=imports, **more)  # type: ignore[arg-type]


def found(one: Sample) -> tuple[tuple[str, ...], list[str]]:
    """Scan an object: its detection, and the functions that use something without it."""
    result = scan(one.image())
    return result.detection, [use.function for use in result.unguarded]


@pytest.mark.parametrize("known_by", ["symbols", "frames", "nothing"])
def test_a_use_is_named(known_by: str) -> None:
    one = Sample(functions={"start": (NOP, RET), **USE}, known_by=known_by)
    result = scan(one.image())
    assert (result.features, result.detection) == (("FEAT_SVE",), ())
    (use,) = result.unguarded
    assert (use.address, use.function) == (TEXT + 12, "compute")
    assert use.instruction == "whilelo p0.s, wzr, w2"


@pytest.mark.parametrize(
    ("known_by", "expected"), [("symbols", ["compute"]), ("frames", ["compute"]), ("nothing", [])]
)
def test_a_file_without_sections_is_searched_in_functions(
    known_by: str, expected: list[str]
) -> None:
    functions: dict[str, Words] = {"start": (NOP, RET), **USE, "(data)": (CRC32B, CRC32B)}
    one = Sample(functions=functions, known_by=known_by, has_sections=False)
    assert found(one) == ((), expected)


def test_code_of_armv8_0_is_silent() -> None:
    assert scan(sample({"start": (BTI_C, NOP, BRANCH, IDENTITY ^ 0x00200000, RET)}).image()) == (
        scan(sample({"start": (RET,)}).image())
    )


DETECTION: dict[str, tuple[dict[str, Words], str]] = {
    "call": ({"ask": (HWCAP, ASK, RET)}, "calls getauxval in 1 function"),
    "second-vector": ({"ask": (HWCAP2, ASK, RET)}, "calls getauxval in 1 function"),
    "other-name": ({"ask": (HWCAP, Call("__getauxval"), RET)}, "calls getauxval in 1 function"),
    "argument-handed-on": ({"a": (PAGE_SIZE, RET), "ask": (Call("getauxval", "jump"),)}, "1 func"),
    "without-a-stub": ({"ask": LOADED}, "calls getauxval in 1 function"),
    "own-flag": ({"ask": (HWCAP, ASK, CRC32_BIT, *KEEP, RET)}, "calls getauxval in 1 function"),
    "two-functions": ({"a": (HWCAP, ASK, RET), "b": (HWCAP, ASK, RET)}, "in 2 functions"),
    "after-the-runtime": ({**CONSTRUCTOR, "ask": (HWCAP, ASK, RET)}, "in 1 function"),
    "registers": ({"ask": (IDENTITY, RET)}, "reads identification registers in 1 function"),
}


@pytest.mark.parametrize(("functions", "sign"), DETECTION.values(), ids=DETECTION.keys())
def test_an_object_that_asks_is_trusted(functions: dict[str, Words], sign: str) -> None:
    (said,), uses = found(sample({**functions, **USE}))
    assert sign in said
    assert uses == []


@pytest.mark.parametrize(
    ("more", "sign"),
    [
        pytest.param({"indirect": ("compute",)}, "has indirect functions", id="indirect"),
        pytest.param({"texts": b"a /proc/cpuinfo\0"}, "names /proc/cpuinfo", id="cpuinfo"),
        pytest.param({"texts": b"/proc/self/auxv\0"}, "names /proc/self/auxv", id="auxv"),
    ],
)
def test_other_signs_of_detection(more: dict[str, object], sign: str) -> None:
    assert found(sample(USE, **more)) == ((sign,), [])


RUNTIME: dict[str, dict[str, Words]] = {
    "outline-atomics": CONSTRUCTOR,
    "matrices": {"set_up": (HWCAP2, ASK, SME_BIT, *KEEP, RET)},
    "page-size": {"ask": (PAGE_SIZE, ASK, RET)},
    "function-versions": {
        "set_up": (HWCAP, ASK, RESOLVE, Call("read_all"), RET),
        "read_all": (IDENTITY, RET),
    },
}


@pytest.mark.parametrize("functions", RUNTIME.values(), ids=RUNTIME.keys())
def test_what_the_runtime_asks_excuses_nobody_else(functions: dict[str, Words]) -> None:
    assert found(sample({**functions, **USE, **ATOMIC})) == ((), ["compute"])


GUARDED: dict[str, Words] = {
    "outline-atomic": ATOMIC["helper"],
    "support-for-matrices": (*FLAG, TPIDR2, RET, NOP, CNTD, RET),
    "restoring-matrices": (TPIDR2, BRANCH, CNTD, RET),
    "unwinder": (0x7100B83F, BRANCH, RET, CNTD, RET),
    "unwinder-of-tagged-memory": (0x7100B83F, BRANCH, 0xD9200800, RET),
    "shadow-stack": (0xD503251F, 0xB5000050, 0xD53B2500, RET),
}


@pytest.mark.parametrize("words", GUARDED.values(), ids=GUARDED.keys())
def test_guards_on_the_spot(words: Words) -> None:
    assert found(sample({"one": (NOP, RET), "two": words})) == ((), [])


UNGUARDED: dict[str, Words] = {
    "atomic": (NOP, LDADD, RET),
    "atomic-behind-another-flag": (*FLAG[1:], LDADD, RET),
    "other-feature-behind-a-flag": (*FLAG, CRC32B, RET),
    "tagged-memory": (0xD9200800, RET),
    "length-of-vectors": (BRANCH, CNTD, RET),
    "other-register": (0x7100B43F, BRANCH, CNTD, RET),
}


@pytest.mark.parametrize("words", UNGUARDED.values(), ids=UNGUARDED.keys())
def test_no_guards(words: Words) -> None:
    assert found(sample({"helper": ATOMIC["helper"], "two": words})) == ((), ["two"])


IMPORTED: dict[str, tuple[dict[str, Words], list[str]]] = {
    "at-once": ({"PyInit_fast": (NOP, WHILELO, RET)}, ["PyInit_fast"]),
    "called": ({"PyInit_fast": (Call("compute"), RET), **USE}, ["compute"]),
    "behind-a-call": ({"PyInit_fast": (Call("puts"), WHILELO, RET)}, ["PyInit_fast"]),
    "jumped-to": ({"PyInit_fast": (Call("compute", "jump"),), **USE}, ["compute"]),
    "behind-a-decision": ({"PyInit_fast": (BRANCH, Call("compute"), RET), **USE}, []),
    "a-variant-by-name": ({"PyInit_fast": (Call("f_sve"), RET), "f_sve": (CNTD, RET)}, ["f_sve"]),
    "calling-itself": ({"PyInit_fast": (Call("PyInit_fast"), WHILELO)}, ["PyInit_fast"]),
}


@pytest.mark.parametrize(("functions", "expected"), IMPORTED.values(), ids=IMPORTED.keys())
def test_what_runs_at_import_runs_unasked(functions: dict[str, Words], expected: list[str]) -> None:
    assert found(sample({"ask": (HWCAP, ASK, RET), **functions}))[1] == expected


def test_what_runs_at_loading_runs_unasked() -> None:
    one = sample({"ask": (HWCAP, ASK, RET), **USE, "other": (CNTD, RET)}, initial=("compute",))
    assert found(one)[1] == ["compute"]


def test_atomics_all_over_an_object_are_no_choice_of_its_own() -> None:
    ask: dict[str, Words] = {"ask": (HWCAP, ASK, RET)}
    few: dict[str, Words] = {f"f{at}": (NOP, LDADD, RET) for at in range(9)}
    many: dict[str, Words] = {**few, "f9": (NOP, LDADD, RET)}
    assert found(sample({**ask, **few}))[1] == []
    assert found(sample({**ask, **many}))[1] == [f"f{at}" for at in range(8)]


@pytest.mark.parametrize("name", ["dot_f32_sve", "conv.neondot", "AES_armv8_2", "put_NEON_i8mm"])
def test_variants_by_name_may_be_called_by_choice(name: str) -> None:
    result = scan(sample({"solve": (CNTD, RET), name: (CNTD, WHILELO, RET)}).image())
    assert [use.function for use in result.unguarded] == ["solve"]
    assert [use.function for use in result.named] == [name, name]


BASELINE = ["dot_neon", "AES_ARMV8_run", "f_asimd", "armv8_0", "gemm_armv8_4x4", "aarch64_crypt"]


@pytest.mark.parametrize("name", [*BASELINE, "neonate", "bf16_add", "solve_neon64_v8", "aes_arm64"])
def test_names_of_what_every_processor_has_excuse_nothing(name: str) -> None:
    result = scan(sample({name: (CNTD, RET)}).image())
    assert ([use.function for use in result.unguarded], result.named) == ([name], ())


def test_names_are_no_matter_in_an_object_that_asks() -> None:
    result = scan(sample({"ask": (HWCAP, ASK, RET), "f_sve": (CNTD, RET)}).image())
    assert (result.unguarded, result.named) == ((), ())


def test_data_between_functions_is_no_code() -> None:
    functions: dict[str, Words] = {"a": (NOP, RET), "(table)": (CNTD, WHILELO), "b": (NOP, RET)}
    for known_by in ("symbols", "frames"):
        assert scan(Sample(functions=functions, known_by=known_by).image()).features == ()


def test_data_in_a_function_is_known_by_its_mark() -> None:
    functions: dict[str, Words] = {"a": (NOP, RET, CNTD, CNTD, NOP, CRC32B)}
    marks = ((TEXT, "$x"), (TEXT + 8, "$d.1"), (TEXT + 16, "$x.2"))
    result = scan(Sample(functions=functions, marks=marks).image())
    assert (result.features, len(result.unguarded)) == (("FEAT_CRC32",), 1)


def test_functions_come_first_and_not_too_many() -> None:
    functions: dict[str, Words] = {f"f{at}": (CNTD, WHILELO, RET) for at in range(5)}
    uses = scan(Sample(functions=functions).image()).unguarded
    names = [use.function for use in uses]
    assert names == ["f0", "f1", "f2", "f3", "f4", "f0", "f1", "f2"]
    assert len({use.address for use in uses}) == 8


@pytest.mark.parametrize(
    ("word", "text", "feature"),
    [
        pytest.param(NOP, "nop", "", id="of-armv8.0"),
        pytest.param(WHILELO, "whilelo p0.s, wzr, w2", "FEAT_SVE", id="later"),
        pytest.param(
            0x74010040, "cb, cbb, cbh 0x74010040", "FEAT_CMPBR", id="not-known-to-capstone"
        ),
        pytest.param(0, "udf #0", "", id="undefined"),
    ],
)
def test_the_instruction_at_an_address(word: int, text: str, feature: str) -> None:
    image = Sample(functions={"first": (RET,), "second": (NOP, word)}).image()
    use = instruction_at(image, TEXT + 8)
    assert use is not None
    assert (use.function, use.feature) == ("second", feature)
    assert use.instruction == text


@pytest.mark.parametrize("address", [0, 3, TEXT + 1, TEXT + 8, 1 << 63, -4])
def test_no_instruction_at_an_address(address: int) -> None:
    assert instruction_at(Sample(functions={"first": (RET, RET)}).image(), address) is None
