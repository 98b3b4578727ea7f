"""Figures of a portal asked afresh: without what was merged into another record, whatever it looks like."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hubspot_portal import Portal

from orchestration.demo.crm.records import Pipeline, Stage
from orchestration.sources.hubspot.verify import contact_figures, deal_figures

TODAY = date(2026, 11, 20)


def test_losers_that_still_look_alive_are_not_counted(hubspot: Portal) -> None:
    winner, _, vid, gone, other, _ = hubspot.add(6)
    hubspot.change(winner, hs_merged_object_ids="1001;7", hs_calculated_merged_vids="1002:17;1000:16")
    hubspot.change(other, hs_merged_object_ids="")
    # Of an archived winner, too: 1003 named 1005 before it was archived.
    hubspot.change(gone, hs_merged_object_ids="1005")
    hubspot.crm.archive(gone, hubspot.account.now)
    with hubspot.session() as session:
        assert contact_figures(session, TODAY)["total_contacts"] == 2, "1000 and 1004"
    assert (vid.id, hubspot.crm.ids("contacts")) == (1002, [1000, 1001, 1002, 1004, 1005])


def test_a_deals_loser_adds_no_amount(hubspot: Portal) -> None:
    winner, loser, other = hubspot.add(3, "deals")
    for deal, amount in ((winner, "5"), (loser, "70"), (other, "0.5")):
        hubspot.change(deal, amount=amount)
    hubspot.change(winner, hs_merged_object_ids=f"{loser.id}:1700000000000")
    with hubspot.session() as session:
        figures = deal_figures(session)
    assert (figures["total_deals"], figures["total_pipeline_value"]) == (2, Decimal("5.50"))


@pytest.mark.parametrize(
    ("metadata", "outcome"),
    [
        ({"probability": "1.0"}, "won"),
        ({"probability": "0.0"}, "lost"),
        ({"probability": 0}, "lost"),
        ({"isClosed": None, "probability": "1"}, "won"),
        ({"probability": "0.9"}, "open"),
        ({}, "open"),
        ({"isClosed": "false", "probability": "1.0"}, "open"),
        ({"isClosed": "true", "probability": "1.0"}, "won"),
        ({"isClosed": "true", "probability": "0.5"}, "open"),
        ({"isClosed": "true"}, "open"),
    ],
)
def test_a_stage_that_does_not_say_whether_it_is_closed_is_closed_by_a_probability_of_0_or_1(
    hubspot: Portal, metadata: dict[str, str], outcome: str
) -> None:
    at = hubspot.account.now
    hubspot.crm.pipelines["deals"].append(Pipeline("p", "P", at, at, [Stage("s", "Whatever", metadata, at, at)]))
    (deal,) = hubspot.add(1, "deals")
    hubspot.change(deal, pipeline="p", dealstage="s", amount="5")
    with hubspot.session() as session:
        figures = deal_figures(session)
    assert {one: figures[f"{one}_deals"] for one in ("open", "won", "lost")} == {
        "open": 0, "won": 0, "lost": 0, outcome: 1
    }  # fmt: skip
