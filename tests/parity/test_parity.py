"""Every scenario does the same with either binding, but for the declared differences."""

from __future__ import annotations

import pytest

from .conftest import Bindings
from .differences import GENERAL
from .harness import ABSENT, SCENARIOS
from .releases import CHANCE, DIES, ENDS, RELEASE, STOPS, deadly, declared

#: Its records are not the same calls for both.
CONSTANTS = "constants"
ORDINARY = [name for name in SCENARIOS if not deadly(name) and name != CONSTANTS]


@pytest.mark.parametrize("name", ORDINARY)
def test_scenario(bindings: Bindings, name: str) -> None:
    records = bindings.run(name)
    assert (records.stopped != (None, None)) == (name in STOPS[RELEASE]), records.stopped
    expected = declared(name)
    problems = []
    # what follows a call that an older binding does not have depends on it
    for call in dict.fromkeys([*records.standard, *records.ours, *expected]):
        standard = records.standard.get(call, "not called")
        ours = records.ours.get(call, "not called")
        if standard == ABSENT != ours:
            break
        if call == ENDS[RELEASE].get(name):
            assert standard == "!! TypeError" != ours, f"{call} is not unknown here"
            break
        if name in STOPS[RELEASE] and "not called" in (standard, ours):
            continue
        if call not in expected:
            if ours != standard and (standard, ours) not in GENERAL:
                problems.append(f"{call}\n    standard {standard}\n    ours     {ours}")
        elif ours == standard:
            problems.append(f"{call}\n    declared as different, but both {ours}")
        elif ours != expected[call]:
            problems.append(f"{call}\n    declared {expected[call]}\n    ours     {ours}")
    assert not problems, f"{len(problems)} calls of {name}:\n" + "\n".join(problems)


@pytest.mark.parametrize("name", [*filter(deadly, SCENARIOS)])
def test_deadly_call(bindings: Bindings, name: str) -> None:
    ours, killed = bindings.run_apart(name, ours=True)
    assert not killed, "ours dies, too"
    if name not in DIES[RELEASE]:
        assert len(declared(name)) == 1, "not declared"
        assert ours == declared(name)
    _, killed = bindings.run_apart(name, ours=False)
    if name not in CHANCE[RELEASE]:
        assert killed, "the standard binding survives: make it an ordinary scenario"


def test_general_differences_occur(bindings: Bindings) -> None:
    """Every general difference is seen somewhere."""
    seen = set()
    for name in ORDINARY:
        records = bindings.run(name)
        seen |= {(o, records.ours.get(call)) for call, o in records.standard.items()}
    assert set(GENERAL) <= seen
