"""Softbase: a dealership's orders, invoices, rental fleet and general ledger."""

from __future__ import annotations

from orchestration.sources.core.source import Source
from orchestration.sources.softbase.connection import SoftbaseConnection
from orchestration.sources.softbase.session import open_dealership
from orchestration.sources.softbase.streams import STREAMS

SOFTBASE = Source("softbase", STREAMS, SoftbaseConnection, open_dealership)
