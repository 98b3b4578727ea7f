"""What is read from the case database, as data: one table, and of it these columns alone."""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.sources.core.records import Stream
from orchestration.sources.core.sql_tables import Table


@dataclass(frozen=True)
class SnapshotStream(Stream):
    """A table that is read whole, as of one instant."""

    table: Table


# What mart_case_metrics is counted by.
_COUNTED = ("Case Create Date", "Date Closed", "Workflow Status", "Case Type", "Primary Presenting Problem")

# Not listed, and so never read: [Satisfaction Comments], which is free text, and the names of people
# ([Primary Counselor Name], [Case Manager], [Provider Name]), although the table as a whole is said to hold no PHI.
_DESCRIBING = (
    "Date Opened",
    "Organization",
    "Provider Type",
    "Client Type",
    "Triage Tier",
    "Tier Level",
    "Initial Session Modality",
    "Closing Disposition",
    "Solution",
    "Industry",
    "Current Population",
    "Impact on Well Being",
    "Satisfaction",
    "Net Promoter",
    "Completed Session Count",
    "Cancelled Sessions",
    "Virtual Sessions",
    "In-Person Sessions",
    "Web Logins",
    "Web Hits",
    "Mobile App Count",
    "TAT - Client Contact to First Session",
    "TAT - Client Contact to Case Closed",
    "TAT - Consultant Assigned to First Session",
    "TAT - Client Contact to Consultant Assigned",
)

CASES = SnapshotStream(
    "case_data_summary_nophi",
    "Cases, one row each, without names and free text",
    Table("Case_Data_Summary_NOPHI", required=_COUNTED, optional=_DESCRIBING),
)
STREAMS = (CASES,)
