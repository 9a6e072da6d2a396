"""Every scenario does the same with either binding, but for the declared differences."""

from __future__ import annotations

import pytest

from .conftest import Bindings
from .differences import DIFFERENCES, GENERAL
from .harness import DEADLY, SCENARIOS

#: Its records are not the same calls for both.
CONSTANTS = "constants"


def declared(name: str) -> dict[str, str]:
    """What ours is declared to do differently in a scenario."""
    return {
        call: ours
        for difference in DIFFERENCES.values()
        for call, ours in difference.steps.get(name, {}).items()
    }


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in {*DEADLY, CONSTANTS}])
def test_scenario(bindings: Bindings, name: str) -> None:
    records = bindings.run(name)
    expected = declared(name)
    problems = []
    for call in dict.fromkeys([*records.standard, *records.ours, *expected]):
        standard = records.standard.get(call, "not called")
        ours = records.ours.get(call, "not called")
        if call not in expected:
            if ours != standard and (standard, ours) not in GENERAL:
                problems.append(f"{call}\n    standard {standard}\n    ours     {ours}")
        elif ours == standard:
            problems.append(f"{call}\n    declared as different, but both {ours}")
        elif ours != expected[call]:
            problems.append(f"{call}\n    declared {expected[call]}\n    ours     {ours}")
    assert not problems, f"{len(problems)} calls of {name}:\n" + "\n".join(problems)


@pytest.mark.parametrize("name", sorted(DEADLY))
def test_deadly_call(bindings: Bindings, name: str) -> None:
    assert len(declared(name)) == 1, "not declared"
    ours, killed = bindings.run_apart(name, ours=True)
    assert not killed, "ours dies, too"
    assert ours == declared(name)
    _, killed = bindings.run_apart(name, ours=False)
    assert killed, "the standard binding survives: make it an ordinary scenario"


def test_general_differences_occur(bindings: Bindings) -> None:
    """Every general difference is seen somewhere."""
    seen = set()
    for name in SCENARIOS:
        if name not in {*DEADLY, CONSTANTS}:
            records = bindings.run(name)
            seen |= {(o, records.ours.get(call)) for call, o in records.standard.items()}
    assert set(GENERAL) <= seen
