"""What one organization's case database is like: how many cases, which words, which quirks."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

TABLE, SCHEMA = "Case_Data_Summary_NOPHI", "dbo"

# Name, SQL type; in the order the table has them.
COLUMNS: tuple[tuple[str, str], ...] = (
    ("Case Create Date", "date"),
    ("Date Opened", "date"),
    ("Date Closed", "date"),
    ("Workflow Status", "text"),
    ("Case Type", "text"),
    ("Organization", "text"),
    ("Primary Counselor Name", "text"),
    ("Provider Type", "text"),
    ("Case Manager", "text"),
    ("Client Type", "text"),
    ("Triage Tier", "text"),
    ("Tier Level", "text"),
    ("Primary Presenting Problem", "text"),
    ("Initial Session Modality", "text"),
    ("Closing Disposition", "text"),
    ("Solution", "text"),
    ("Industry", "text"),
    ("Current Population", "int"),
    ("Impact on Well Being", "text"),
    ("Satisfaction", "text"),
    ("Satisfaction Comments", "text"),
    ("Net Promoter", "int"),
    ("Completed Session Count", "int"),
    ("Cancelled Sessions", "int"),
    ("Virtual Sessions", "int"),
    ("In-Person Sessions", "int"),
    ("Web Logins", "int"),
    ("Web Hits", "int"),
    ("Mobile App Count", "int"),
    ("TAT - Client Contact to First Session", "numeric(9, 2)"),
    ("TAT - Client Contact to Case Closed", "numeric(9, 2)"),
    ("TAT - Consultant Assigned to First Session", "numeric(9, 2)"),
    ("TAT - Client Contact to Consultant Assigned", "numeric(9, 2)"),
)


@dataclass(frozen=True)
class Caseload:
    """One organization's cases.

    per_weekday
        How many are made on a working day, on average; a fifth of that on other days.
    history_days
        How long before the world's first day the database begins.
    kept_days
        A case is taken out so many days after it was closed.
    twins
        Share of cases whose row stands twice in the table, the same in every column.
    dates
        The SQL type of the columns that hold dates.
    lacks
        Columns that this database does not have.
    """

    slug: str
    timezone: str
    per_weekday: float
    history_days: int
    kept_days: int = 730
    twins: float = 0.015
    dates: str = "date"
    lacks: frozenset[str] = frozenset()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Name and SQL type of the columns that the table has."""
        return tuple((name, self.dates if kind == "date" else kind) for name, kind in COLUMNS if name not in self.lacks)


CASELOADS = (
    Caseload("vital_worklife", "America/Chicago", per_weekday=8.0, history_days=420, kept_days=365),
    Caseload(
        "iris_clinic",
        "America/Los_Angeles",
        per_weekday=0.8,
        history_days=250,
        dates="timestamp",
        lacks=frozenset({"Mobile App Count", "Web Hits", "Net Promoter"}),
    ),
)

# Some are spelled in more than one way, as people do who type.
CASE_TYPES = (
    "EAP",
    "EAP",
    "EAP",
    "EAP",
    "Coaching",
    "Coaching",
    "Legal/Financial",
    "Physician Well Being",
    "eap",
    "",
    None,
)
PROBLEMS = (
    "Anxiety",
    "Anxiety",
    "Depression",
    "Relationship - Partner",
    "Work Stress / Burn-out",
    "Grief & Loss",
    "Parenting",
    "Alcohol/Drugs (Self)",
    "Caf\u00e9-au-lait syndrome",
    "Anxiety ",
    None,
)
PROVIDERS = ("Counselor", "Coach", "Attorney", "Physician Peer Coach")
CLIENTS = ("Employee", "Employee", "Employee", "Spouse/Partner", "Dependent", "Manager", None)
TRIAGE = ("High", "Crisis", "Urgent", None, None, None, None)
TIERS = ("Tier 1", "Tier 2", "Tier 3")
MODALITIES = ("Virtual - Video", "Virtual - Phone", "In-Person")
DISPOSITIONS = ("Goals Met", "Goals Met", "Referred - Community", "Client Withdrew", "No Show", "Benefit Exhausted")
SOLUTIONS = ("EAP", "Well Being Resources", "Physician Well Being Resources", "Coaching+")
INDUSTRIES = ("Healthcare", "Manufacturing", "Education", "Finance", "Public Sector")
NAMES = ("Ada Byron", "Grace Murray", "Alan Mathison", "Katherine Coleman", "Edsger Wybe", "Barbara Huberman")
COMMENTS = (
    "My counselor was wonderful, call me at 612-555-0142!",
    "Write to me: client@example.com",
    "Fine.",
)
