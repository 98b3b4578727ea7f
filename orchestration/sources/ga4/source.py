"""GA4 as a source."""

from __future__ import annotations

from orchestration.sources.core.source import Source
from orchestration.sources.ga4.connection import Ga4Connection
from orchestration.sources.ga4.session import open_property
from orchestration.sources.ga4.streams import STREAMS

GA4 = Source("ga4", STREAMS, Ga4Connection, open_property)
