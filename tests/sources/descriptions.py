"""The sources that the suite runs over: a new source is one more entry."""

from __future__ import annotations

from azure_sql_standin import AzureSql
from hubspot_standin import HubSpot
from quickbooks_standin import QuickBooks
from softbase_standin import Softbase
from standin import StandIn

STANDINS: tuple[type[StandIn], ...] = (QuickBooks, HubSpot, Softbase, AzureSql)
