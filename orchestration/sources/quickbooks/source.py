"""QuickBooks Online as a source."""

from __future__ import annotations

from orchestration.sources.core.source import Source
from orchestration.sources.quickbooks.connection import QuickBooksConnection
from orchestration.sources.quickbooks.session import open_company
from orchestration.sources.quickbooks.streams import STREAMS

QUICKBOOKS = Source("quickbooks", STREAMS, QuickBooksConnection, open_company)
