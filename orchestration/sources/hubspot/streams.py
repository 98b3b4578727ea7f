"""What is read from HubSpot, as data."""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.sources.core.records import Stream


@dataclass(frozen=True)
class ObjectStream(Stream):
    """Records of one CRM object type: by list the first time and once a week, by search in the nights between.

    kind
        Its name in paths.
    modified
        The property that holds when a record was last changed.
    linked
        Object types whose associations with it land with its records. Each pair is read from one side, that on which
        a record has fewer of the other.
    """

    kind: str
    modified: str = "hs_lastmodifieddate"
    linked: tuple[str, ...] = ()


@dataclass(frozen=True)
class OwnerStream(Stream):
    """People that records belong to, those who left among them."""


@dataclass(frozen=True)
class PipelineStream(Stream):
    """Pipelines with their stages, of all ``kinds`` of objects that move through them."""

    kinds: tuple[str, ...]


_ACTIVITY = ("contacts", "companies", "deals", "tickets")

STREAMS: tuple[Stream, ...] = (
    OwnerStream("owners", "Users that records belong to"),
    PipelineStream("pipelines", "Pipelines of deals and tickets with their stages", ("deals", "tickets")),
    ObjectStream("companies", "Companies", "companies"),
    ObjectStream("contacts", "Contacts", "contacts", modified="lastmodifieddate", linked=("companies",)),
    ObjectStream("deals", "Deals", "deals", linked=("companies", "contacts")),
    ObjectStream("tickets", "Tickets", "tickets", linked=("companies", "contacts", "deals")),
    ObjectStream("products", "Product library", "products"),
    ObjectStream("line_items", "Products as sold: lines of deals and quotes", "line_items", linked=("deals", "quotes")),
    ObjectStream("quotes", "Quotes", "quotes", linked=("deals",)),
    ObjectStream("calls", "Calls logged", "calls", linked=_ACTIVITY),
    ObjectStream("emails", "E-mails logged", "emails", linked=_ACTIVITY),
    ObjectStream("meetings", "Meetings", "meetings", linked=_ACTIVITY),
    ObjectStream("tasks", "Tasks", "tasks", linked=_ACTIVITY),
    ObjectStream(
        "feedback_submissions", "Answers to feedback surveys", "feedback_submissions", linked=("contacts", "tickets")
    ),
    ObjectStream("goals", "Targets set for users and teams", "goal_targets"),
)
