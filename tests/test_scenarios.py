"""Whole conversations against the running assistant, custom actions included (tests/scenarios)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from running import Assistant, WithFaults
from scenarios.runner import Domain, play, scenarios

DOMAIN = Domain()
ALL = list(scenarios())
SOUND = [(behaviour, scenario) for behaviour, scenario in ALL if not scenario.get("faults")]
WITH_FAULTS = [(behaviour, scenario) for behaviour, scenario in ALL if scenario.get("faults")]


def named(cases: list[tuple[str, Any]]) -> list[Any]:
    return [
        pytest.param(scenario, id=f"{behaviour}: {scenario['scenario']}") for behaviour, scenario in cases
    ]


@pytest.mark.parametrize("scenario", named(SOUND))
def test_scenario(scenario: dict[str, Any], assistant: Assistant) -> None:
    play(scenario, assistant, DOMAIN)


@pytest.mark.parametrize("scenario", named(WITH_FAULTS))
def test_scenario_with_faults(scenario: dict[str, Any], assistant_with_faults: WithFaults) -> None:
    play(scenario, assistant_with_faults, DOMAIN)


def test_each_scenario_has_a_name_of_its_own() -> None:
    names = Counter(scenario["scenario"] for _, scenario in ALL)
    assert [name for name, count in names.items() if count > 1] == []
    assert len(ALL) >= 70
