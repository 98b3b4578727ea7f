"""Contacts: how they come, move through lifecycle stages, merge, go and return."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from orchestration.demo.crm.catalogue import custom
from orchestration.demo.crm.formats import DAY, iso, plain
from orchestration.demo.crm.habits import Habit
from orchestration.demo.crm.stages import CUSTOM_LIFECYCLE
from orchestration.demo.crm.store import FUNNEL

if TYPE_CHECKING:
    from orchestration.demo.books.dice import Dice
    from orchestration.demo.crm.life import Life
    from orchestration.demo.crm.portals import Portal
    from orchestration.demo.crm.records import Record

FIRST_NAMES = ("Ana", "Ben", "Chloe", "Dmitri", "Elif", "Femi", "Grace", "Hiro", "Ines", "Jamal", "Kate", "Liam", "Mei")
LAST_NAMES = ("Anders", "Brown", "Chen", "Diaz", "Evans", "Fischer", "Garcia", "Hall", "Iyer", "Jones", "Kim", "Lopez")
# Spellings that break careless code: quotes, accents, other scripts, emoji, backslashes, markup, formulas.
ODD_NAMES = (
    "O'Neil",
    "Søren",
    "Zoë",
    "李雷",
    "Иван",
    "Ayşe 😀",
    'Rob "Bobby"',
    "back\\slash",
    "<b>Bold</b>",
    "=1+1",
    "null",
    "  ",
)
JOBS = ("HR Director", "Benefits Manager", "Physician", "Chief People Officer", "Nurse", "Safety Lead", "")
SOURCES = ("ORGANIC_SEARCH", "DIRECT_TRAFFIC", "EMAIL_MARKETING", "OFFLINE", "REFERRALS")
# How often a new contact starts at which stage, in thousandths; None starts without one.
ARRIVALS: tuple[tuple[str | None, int], ...] = (
    ("subscriber", 290),
    ("lead", 390),
    ("marketingqualifiedlead", 90),
    ("opportunity", 40),
    ("customer", 60),
    ("other", 30),
    (CUSTOM_LIFECYCLE[1][0], 20),
    (None, 80),
)


def habits(portal: Portal) -> list[Habit]:
    sizes, days = portal.sizes, portal.history_days
    arrivals = sizes.contacts / days
    return [
        # What archivals and merges take away has to come as well: the sizes are those of the first day.
        Habit(arrivals * 0.89, add_contact, office=False),
        Habit(arrivals * 0.27 / 12, import_contacts),
        Habit(arrivals * 1.3, progress, office=False),
        Habit(arrivals * 0.05, regress),
        Habit(arrivals * 1.5, edit_contact),
        Habit(arrivals * 0.07, archive_someone),
        Habit(arrivals * 0.015, restore_someone),
        Habit(arrivals * 0.01, purge_someone),
        Habit(arrivals * 0.035, merge_contacts),
    ]


def open_properties(life: Life) -> None:
    """Properties of the portal's own."""
    contacts = life.crm.properties["contacts"]
    lines = (("eap", "EAP"), ("physician", "Physician well being"), ("coaching", "Coaching"))
    for made in (
        custom("eap_member_id", "EAP member id"),
        custom("eap_sessions_used", "EAP sessions used", "number"),
        custom("eap_last_session_date", "Last EAP session", "date"),
        custom("wellbeing_score", "Well-being score", "number"),
        custom("service_lines", "Service lines", "enumeration", lines),
        custom("is_physician", "Is a physician", "bool"),
        custom("internal_notes", "Internal notes"),
    ):
        contacts[made.name] = made
    for number in range(life.portal.survey_properties):
        name = f"wellbeing_survey_2025_question_{number:03d}_response"
        contacts[name] = custom(name, f"Survey 2025, question {number}")


def add_contact(life: Life) -> Record:
    """Somebody fills in a form, is met at a fair or comes with a company."""
    dice = life.dice
    odd = dice.chance(0.03)
    first, last = dice.pick(ODD_NAMES if odd else FIRST_NAMES), dice.pick(ODD_NAMES if odd else LAST_NAMES)
    company = life.pick("companies", 0.5) if dice.chance(0.65) else None
    stage = _arrival(dice)
    number = life.crm.versions["contacts"]
    domain = company.get("domain") if company else "mail.example.com"
    contact = life.crm.create(
        "contacts",
        life.at,
        {
            "firstname": first,
            "lastname": last,
            "email": f"person{number}@{domain}" if dice.chance(0.95) else None,
            "phone": f"+1 612 555 {dice.between(0, 9999):04d}" if dice.chance(0.5) else None,
            "jobtitle": dice.pick(JOBS) or None,
            "company": company.get("name") if company else None,
            "associatedcompanyid": company.id if company else None,
            "lifecyclestage": stage,
            "hs_analytics_source": dice.pick(SOURCES),
            "hubspot_owner_id": life.owner() if dice.chance(0.6) else None,
            "hs_email_optout": "true" if dice.chance(0.05) else None,
            "eap_member_id": f"VWL-{number:06d}" if stage == "customer" else None,
        },
    )
    _entered(life, contact, stage)
    if company:
        life.crm.link(contact, company, "Primary")
    return contact


def import_contacts(life: Life) -> None:
    """A list is imported: many contacts, all created in the same millisecond."""
    for _ in range(life.dice.between(8, 16)):
        contact = add_contact(life)
        contact.put("hs_was_imported", "true", life.at)


def progress(life: Life) -> None:
    """A contact moves down the funnel, seldom more than one stage."""
    contact = life.pick("contacts", 0.4)
    if contact is None:
        return
    stage = contact.get("lifecyclestage")
    if stage in FUNNEL:
        # Customers and evangelists are where they want to be.
        if stage == "evangelist" or (stage == "customer" and not life.dice.chance(0.08)):
            return
        step = 2 if life.dice.chance(0.1) else 1
        after = FUNNEL[min(FUNNEL.index(stage) + step, len(FUNNEL) - 1)]
    elif life.dice.chance(0.3):
        after = "lead"
    else:
        return
    _enter(life, contact, after)


def regress(life: Life) -> None:
    """A contact falls out of the funnel: a stage of the portal's own, ``other``, or none at all."""
    contact = life.pick("contacts")
    if contact is not None:
        _enter(life, contact, life.dice.pick((CUSTOM_LIFECYCLE[0][0], CUSTOM_LIFECYCLE[1][0], "other", None, "lead")))


def edit_contact(life: Life) -> None:
    contact, dice = life.pick("contacts", 0.7), life.dice
    if contact is None:
        return
    what = dice.between(1, 5)
    if what == 1:
        sessions = int(contact.get("eap_sessions_used") or 0) + 1
        day = iso(life.at - life.at % DAY)[:10]
        life.crm.change(contact, life.at, eap_sessions_used=sessions, eap_last_session_date=day)
    elif what == 2:
        score = plain(Decimal(dice.between(0, 1000)).scaleb(-2))
        life.crm.change(contact, life.at, wellbeing_score=score, service_lines=dice.pick(("eap", "eap;coaching")))
    elif what == 3:
        life.crm.change(contact, life.at, hubspot_owner_id=life.owner())
    elif what == 4:
        life.crm.change(contact, life.at, jobtitle=dice.pick(JOBS) or None, internal_notes="Line one\nline two\t– “q”")
    else:
        life.crm.change(contact, life.at, phone=None if dice.chance(0.3) else f"+1 651 555 {dice.between(0, 9999):04d}")


def archive_someone(life: Life) -> None:
    contact = life.pick("contacts")
    if contact is not None:
        life.crm.archive(contact, life.at)
        life.binned.append(contact)


def restore_someone(life: Life) -> None:
    """Somebody comes back out of the recycle bin; half of them with their old modification date."""
    for record in reversed(life.binned[-20:]):
        if record.archived_at is not None and life.at - record.archived_at < 90 * DAY and life.dice.chance(0.3):
            life.crm.restore(record, life.at, touch=life.dice.chance(0.5))
            life.binned.remove(record)
            return


def purge_someone(life: Life) -> None:
    """A contact is deleted for good, as privacy laws ask: it is in no list any more."""
    contact = life.pick("contacts")
    if contact is not None and contact not in life.winners:
        life.crm.purge(contact)


def merge_contacts(life: Life) -> None:
    """Duplicates become one; a third of the winners have won before, and winners lose as well."""
    dice = life.dice
    earlier = [record for record in life.winners[-40:] if record.live]
    winner = dice.pick(earlier) if earlier and dice.chance(0.35) else life.pick("contacts")
    loser = dice.pick(earlier) if earlier and dice.chance(0.15) else life.pick("contacts")
    if winner is None or loser is None or winner is loser:
        return
    life.crm.merge(winner, [loser], life.at, new_record="contacts" in life.portal.new_record_merges)
    life.winners.append(winner)


def _arrival(dice: Dice) -> str | None:
    roll = dice.between(1, 1000)
    for stage, share in ARRIVALS:
        roll -= share
        if roll <= 0:
            return stage
    return None


def _enter(life: Life, contact: Record, stage: str | None) -> None:
    if stage == contact.get("lifecyclestage"):
        return
    life.crm.change(contact, life.at, lifecyclestage=stage)
    _entered(life, contact, stage)


def _entered(life: Life, contact: Record, stage: str | None) -> None:
    name = f"hs_v2_date_entered_{stage}"
    if name in life.crm.properties["contacts"]:
        contact.put(name, iso(life.at), life.at)
