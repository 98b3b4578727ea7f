"""The sources that the suite runs over: a new source is one more entry."""

from __future__ import annotations

from ga4_standin import Ga4
from hubspot_standin import HubSpot
from quickbooks_standin import QuickBooks
from standin import StandIn

STANDINS: tuple[type[StandIn], ...] = (QuickBooks, HubSpot, Ga4)
