"""Laws of values and layers: which wins, what is joined, and that the forms of a value agree."""

from __future__ import annotations

import string
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings import kinds
from aarch64_wheels.settings.cascade import Found, Layer, Rule, cascade
from aarch64_wheels.settings.schema import BuildOptions, Option, Settings, all_fields
from aarch64_wheels.settings.tables import all_options
from tests.unit.project_tables import VALUES
from tests.unit.strategies import project_layers, thorough

if TYPE_CHECKING:
    from aarch64_wheels.settings.kinds import Kind

few = settings(thorough, max_examples=40)
WORD = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=5)
WORDS = st.lists(WORD, max_size=3)
ANY = st.recursive(
    st.one_of(st.text(max_size=5), st.integers(), st.booleans(), st.floats(), st.just(10**400)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=3),
    max_leaves=6,
)
JOINED = {
    "words": (kinds.WORDS, WORDS),
    "quoted": (kinds.QUOTED, WORDS),
    "commas": (kinds.COMMAS, WORDS),
    "command": (kinds.COMMAND, WORD | st.just("")),
    "table": (kinds.TABLE, st.dictionaries(WORD, WORD, max_size=3)),
    "environment": (kinds.ENVIRONMENT, st.sampled_from(("A=1", "B=2 C=3", ""))),
}
ALL_KINDS = {
    option.name: option.kind for kind in (Settings, BuildOptions) for option in all_fields(kind)
}


def _option(kind: Kind) -> Option:
    return Option(field="x", kind=kind)


def _layers(*values: object, rule: Rule = Rule.NONE) -> list[Layer]:
    return [
        Layer(values={"x": value}, place=f"place {number}", inherit={"x": rule})
        for number, value in enumerate(values)
    ]


def _value(found: Found | None) -> object:
    return None if found is None else found.value


@pytest.mark.parametrize(("kind", "values"), JOINED.values(), ids=JOINED.keys())
@few
@given(data=st.data())
def test_layers_obey_their_laws(
    kind: Kind, values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    one, two, three = (data.draw(values) for _ in range(3))
    option, join = _option(kind), kind.join
    assert join is not None
    first, second, third = (kind.from_toml(value) for value in (one, two, three))
    assert join(join(first, second), third) == join(first, join(second, third))
    assert join(first, kind.empty) == join(kind.empty, first) == first
    assert _value(cascade(option, _layers(one, two, three))) == third
    appended = _value(cascade(option, _layers(one, two, three, rule=Rule.APPEND)))
    prepended = _value(cascade(option, _layers(three, two, one, rule=Rule.PREPEND)))
    assert appended == prepended == join(join(first, second), third)
    nothing = Layer(values={}, place="nothing")
    among = [layer for pair in pairwise([*_layers(one, two), nothing]) for layer in pair]
    assert _value(cascade(option, [nothing, *among, nothing])) == second


FORMS = {
    "words": (kinds.WORDS, WORDS, " ".join),
    "quoted": (kinds.QUOTED, WORDS, " ".join),
    "commas": (kinds.COMMAS, WORDS, ", ".join),
    "command": (kinds.COMMAND, WORDS, " && ".join),
    "number": (kinds.NUMBER, st.integers(0, 10**9 - 1), str),
    "level": (kinds.LEVEL, st.integers(-99, 99), str),
    "switch": (kinds.SWITCH, st.booleans(), str),
    "table": (
        kinds.TABLE,
        st.dictionaries(WORD, WORD, max_size=3),
        lambda rows: " ".join(f"{key}='{value}'" for key, value in rows.items()),
    ),
}


@pytest.mark.parametrize(("kind", "values", "write"), FORMS.values(), ids=FORMS.keys())
@few
@given(data=st.data())
def test_toml_and_text_of_a_value_agree(
    kind: Kind, values: st.SearchStrategy[Any], write: Any, data: st.DataObject
) -> None:
    value = data.draw(values)
    assert kind.read(value, "here", text=False) == kind.read(write(value), "here", text=True)


@pytest.mark.parametrize("kind", {kind.wanted: kind for kind in ALL_KINDS.values()}.values())
@few
@given(value=ANY)
def test_what_a_kind_takes_its_schema_allows(kind: Kind, value: object) -> None:
    """What it does not take, it refuses with an error that can be shown."""
    refusal = ""
    try:
        kind.read(value, "here", text=False)
    except UsageError as error:
        refusal = str(error)
    assert refusal.startswith("here must be ") or (not refusal and _allows(kind.schema, value))


@pytest.mark.parametrize("name", sorted(set(VALUES) & set(ALL_KINDS)))
@settings(thorough, max_examples=15)
@given(data=st.data())
def test_what_projects_write_is_allowed(name: str, data: st.DataObject) -> None:
    value = data.draw(VALUES[name])
    ALL_KINDS[name].read(value, "here", text=False)
    assert _allows(ALL_KINDS[name].schema, value)


@few
@given(values=st.lists(WORD, min_size=4, max_size=4), held=st.lists(st.booleans(), min_size=4))
def test_the_strongest_place_wins(values: list[str], held: list[bool]) -> None:
    """Flag over variable over our table over cibuildwheel's."""
    theirs, own, variable, flag = (
        value if there else "" for value, there in zip(values, held, strict=False)
    )
    layers = project_layers(
        {"before-all": theirs} if theirs else {},
        {"AARCH64_WHEELS_BEFORE_ALL": variable},
        {"before-all": own} if own else {},
        {"before_all": flag or None},
    )
    assert layers.options("").before_all == (flag or variable or own or theirs)


def test_every_option_of_the_table_has_a_schema() -> None:
    assert all(option.kind.schema for option in all_options())


def _allows(schema: Any, value: Any) -> bool:
    """Tell whether JSON Schema allows a value, as far as our schemas go."""
    if "anyOf" in schema:
        return any(_allows(one, value) for one in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not _types(value).intersection(wanted):
        return False
    if isinstance(value, list):
        return all(_allows(schema["items"], one) for one in value)
    least, most = schema.get("minimum", value), schema.get("maximum", value)
    return least is value or bool(least <= value <= most)


def _types(value: object) -> set[str]:
    match value:
        case bool():
            return {"boolean"}
        case int():
            return {"integer", "number"}
        case float():
            return {"number"}
        case str():
            return {"string"}
        case list():
            return {"array"}
        case _:
            return {"object"}
