"""The suite covers what it says, and the page in docs/ says what the suite covers."""

from __future__ import annotations

import pytest
from cases import CASES, ELSEWHERE
from descriptions import STANDINS
from standin import StandIn
from table import PAGE, unproven, written

from orchestration.sources import SOURCES

SOURCE_FAULTS = {f"F{number}" for number in range(1, 46)}


def test_every_source_is_described() -> None:
    assert [standin.source for standin in STANDINS] == list(SOURCES)


def test_every_case_is_proven_or_applies_to_no_source() -> None:
    assert unproven() == []


def test_every_promise_and_every_fault_has_its_case() -> None:
    covered = {fault for case in CASES.values() for fault in (case.number, *case.faults)} | set(ELSEWHERE)
    assert SOURCE_FAULTS - covered == set()
    assert {str(number) for number in range(1, 23)} - {number.rstrip("abcd") for number in covered} == set()


@pytest.mark.parametrize("standin", STANDINS, ids=lambda standin: standin.source)
def test_what_does_not_apply_is_a_known_case_with_a_reason(standin: type[StandIn]) -> None:
    assert standin.not_applicable.keys() <= CASES.keys()
    assert all(len(reason.split()) > 4 for reason in standin.not_applicable.values())


def test_the_page_says_what_the_suite_runs() -> None:
    assert PAGE.read_text(encoding="utf-8") == written(), "run: python tests/sources/table.py"
