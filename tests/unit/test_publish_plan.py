"""What the plan makes of the files, the index's listing and the journal."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.plan import IndexPlan, Step, plan_index
from tests.unit.publish_samples import SDIST, WHEEL, named

URL = "https://index.invalid/legacy/"
A, B = "a" * 64, "b" * 64


def _steps(plan: IndexPlan) -> dict[str, Step]:
    return {item.distribution.filename: item.step for item in plan.items}


CASES = {
    "new": ({}, {}, Step.UPLOAD),
    "listed": ({WHEEL: A}, {}, Step.THERE),
    "sent": ({}, {WHEEL: A}, Step.SENT),
    "sent-and-listed": ({WHEEL: A}, {WHEEL: A}, Step.THERE),
    # The journal is a note of ours; the index is right.
    "listed-and-noted-otherwise": ({WHEEL: A}, {WHEEL: B}, Step.THERE),
    "others": ({SDIST: A}, {"demo-1.0-py2-none-any.whl": B}, Step.UPLOAD),
    "other-spelling": ({WHEEL.upper(): B}, {}, Step.UPLOAD),
}


@pytest.mark.parametrize(("listed", "sent", "step"), CASES.values(), ids=CASES.keys())
def test_a_files_step(listed: dict[str, str], sent: dict[str, str], step: Step) -> None:
    plan = plan_index(URL, [named()], listed, sent)
    assert (plan.destination, _steps(plan)) == (URL, {WHEEL: step})


def test_another_file_of_a_name_stops_all() -> None:
    files = [named(WHEEL, A), named(SDIST, A)]
    with pytest.raises(PublishError) as caught:
        plan_index(URL, files, {SDIST: B}, {})
    assert caught.value.what == f"{URL} has other files of these names: nothing is uploaded"
    assert caught.value.found == f"{SDIST}: here aaaaaaaaaaaaaaaa…, there bbbbbbbbbbbbbbbb…"
    assert caught.value.exit_code == 4


def test_a_file_built_anew_after_it_was_sent_stops_all() -> None:
    """The index has taken the first and does not list it yet: the second would be refused there,
    when others are uploaded.
    """
    with pytest.raises(PublishError) as caught:
        plan_index(URL, [named(WHEEL, A), named(SDIST, A)], {}, {WHEEL: B})
    assert caught.value.found.startswith(f"{WHEEL}: here aaaa")
    assert caught.value.found.endswith("(sent a short time ago, says .publish-journal.jsonl)")


def test_all_that_differs_is_named() -> None:
    files = [named(name, A) for name in ("demo-1.0-1-py3-none-any.whl", WHEEL, SDIST)]
    with pytest.raises(PublishError) as caught:
        plan_index(URL, files, {WHEEL: B}, {SDIST: B, WHEEL: A})
    assert [line.partition(":")[0] for line in caught.value.found.splitlines()] == [WHEEL, SDIST]
    assert ".publish-journal" not in caught.value.found.splitlines()[0]


def test_files_of_a_step() -> None:
    files = [named(WHEEL, A), named(SDIST, A)]
    plan = plan_index(URL, files, {WHEEL: A}, {})
    assert plan.of(Step.THERE) == files[:1]
    assert plan.of(Step.UPLOAD) == files[1:]
    assert plan.of(Step.SENT) == []


NAMES = [f"demo-1.0-cp{number}-cp{number}-linux_aarch64.whl" for number in range(310, 316)]
# No deadline: a loaded machine is no fault.
quick = settings(deadline=None, database=None)
HASHES = st.dictionaries(st.sampled_from(NAMES), st.sampled_from([A, B]))


@quick
@given(files=HASHES, listed=HASHES, sent=HASHES)
def test_nothing_is_sent_twice_and_nothing_replaced(
    files: dict[str, str], listed: dict[str, str], sent: dict[str, str]
) -> None:
    rows = [named(name, sha256) for name, sha256 in files.items()]
    known = sent | listed
    differ = [name for name in files if name in known and known[name] != files[name]]
    if differ:
        with pytest.raises(PublishError) as caught:
            plan_index(URL, rows, listed, sent)
        assert all(name in caught.value.found for name in differ)
        return
    plan = plan_index(URL, rows, listed, sent)
    assert [item.distribution for item in plan.items] == rows
    assert {one.filename for one in plan.of(Step.THERE)} == files.keys() & listed.keys()
    assert {one.filename for one in plan.of(Step.UPLOAD)} == files.keys() - known.keys()
    assert {one.filename for one in plan.of(Step.SENT)} == files.keys() & (sent.keys() - listed)
    assert plan.of(Step.REPLACE) == []
