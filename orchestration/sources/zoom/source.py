"""Zoom as a source."""

from __future__ import annotations

from orchestration.sources.core.source import Source
from orchestration.sources.zoom.connection import ZoomConnection
from orchestration.sources.zoom.session import open_account
from orchestration.sources.zoom.streams import STREAMS

ZOOM = Source("zoom", STREAMS, ZoomConnection, open_account)
