"""Figures of a portal asked afresh: without what was merged into another record, whatever it looks like."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hubspot_portal import Portal

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
