"""The kinds of CRM objects: their names and numbers in paths, what reading them needs, what they answer unasked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One object type. ``created`` and ``modified`` name the properties that hold those instants."""

    plural: str
    singular: str
    type_id: str
    scopes: tuple[str, ...]
    defaults: tuple[str, ...] = ()
    created: str = "hs_createdate"
    modified: str = "hs_lastmodifieddate"

    @property
    def default_properties(self) -> tuple[str, ...]:
        """Properties of a record when none are asked for."""
        return (*self.defaults, self.created, self.modified, "hs_object_id")


_ENGAGEMENT = ("crm.objects.contacts.read",)

KINDS = {
    kind.plural: kind
    for kind in (
        Kind(
            "contacts",
            "contact",
            "0-1",
            ("crm.objects.contacts.read",),
            ("email", "firstname", "lastname"),
            "createdate",
            "lastmodifieddate",
        ),
        Kind("companies", "company", "0-2", ("crm.objects.companies.read",), ("domain", "name"), "createdate"),
        Kind(
            "deals",
            "deal",
            "0-3",
            ("crm.objects.deals.read",),
            ("amount", "closedate", "dealname", "dealstage", "pipeline"),
            "createdate",
        ),
        Kind(
            "tickets",
            "ticket",
            "0-5",
            ("tickets",),
            ("content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_category", "hs_ticket_priority", "subject"),
            "createdate",
        ),
        Kind("products", "product", "0-7", ("e-commerce",), ("description", "name", "price"), "createdate"),
        Kind(
            "line_items",
            "line_item",
            "0-8",
            ("crm.objects.line_items.read",),
            ("amount", "quantity", "price"),
            "createdate",
        ),
        Kind("quotes", "quote", "0-14", ("crm.objects.quotes.read",), ("hs_expiration_date", "hs_status", "hs_title")),
        Kind("feedback_submissions", "feedback_submission", "0-19", ("crm.objects.feedback_submissions.read",)),
        Kind("tasks", "task", "0-27", _ENGAGEMENT),
        Kind("meetings", "meeting", "0-47", _ENGAGEMENT),
        Kind("calls", "call", "0-48", _ENGAGEMENT),
        Kind("emails", "email", "0-49", ("sales-email-read",)),
        Kind("goal_targets", "goal_target", "0-74", ("crm.objects.goals.read",)),
    )
}
_BY_NAME = {name: kind for kind in KINDS.values() for name in (kind.plural, kind.singular, kind.type_id)}


def find_kind(name: str) -> Kind | None:
    """The kind meant by a path segment: plural, singular or type id, whatever the case; None where there is none."""
    return _BY_NAME.get(name.lower())


@dataclass(frozen=True)
class LinkType:
    """How one kind of object is associated with another: numbers are HubSpot's own."""

    type_id: int
    primary_id: int | None = None


# (from, to): the number of the plain association and, where HubSpot marks one as primary, of that.
LINK_TYPES: dict[tuple[str, str], LinkType] = {
    ("contacts", "companies"): LinkType(279, 1),
    ("companies", "contacts"): LinkType(280, 2),
    ("deals", "companies"): LinkType(341, 5),
    ("companies", "deals"): LinkType(342, 6),
    ("tickets", "companies"): LinkType(339, 26),
    ("companies", "tickets"): LinkType(340, 25),
    ("deals", "contacts"): LinkType(3),
    ("contacts", "deals"): LinkType(4),
    ("tickets", "contacts"): LinkType(16),
    ("contacts", "tickets"): LinkType(15),
    ("deals", "line_items"): LinkType(19),
    ("line_items", "deals"): LinkType(20),
    ("deals", "quotes"): LinkType(63),
    ("quotes", "deals"): LinkType(64),
    ("feedback_submissions", "contacts"): LinkType(98),
    ("contacts", "feedback_submissions"): LinkType(97),
    ("calls", "contacts"): LinkType(194),
    ("contacts", "calls"): LinkType(193),
    ("calls", "companies"): LinkType(182),
    ("companies", "calls"): LinkType(181),
    ("calls", "deals"): LinkType(206),
    ("deals", "calls"): LinkType(205),
    ("emails", "contacts"): LinkType(198),
    ("contacts", "emails"): LinkType(197),
    ("emails", "companies"): LinkType(186),
    ("companies", "emails"): LinkType(185),
    ("emails", "deals"): LinkType(210),
    ("deals", "emails"): LinkType(209),
    ("meetings", "contacts"): LinkType(200),
    ("contacts", "meetings"): LinkType(199),
    ("meetings", "companies"): LinkType(188),
    ("companies", "meetings"): LinkType(187),
    ("meetings", "deals"): LinkType(212),
    ("deals", "meetings"): LinkType(211),
    ("tasks", "contacts"): LinkType(204),
    ("contacts", "tasks"): LinkType(203),
    ("tasks", "companies"): LinkType(192),
    ("companies", "tasks"): LinkType(191),
    ("tasks", "deals"): LinkType(216),
    ("deals", "tasks"): LinkType(215),
}
