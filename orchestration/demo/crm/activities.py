"""Tickets, what they say about the service, and the calls, emails, meetings and tasks around contacts and deals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.demo.crm.formats import DAY, iso
from orchestration.demo.crm.habits import Habit

if TYPE_CHECKING:
    from orchestration.demo.crm.life import Life
    from orchestration.demo.crm.portals import Portal
    from orchestration.demo.crm.records import Record

MINUTE = 60_000


def habits(portal: Portal) -> list[Habit]:
    sizes, days = portal.sizes, portal.history_days
    return [
        Habit(sizes.tickets / days, add_ticket, office=False),
        Habit(sizes.tickets / days * 3, advance_ticket),
        Habit(sizes.calls / days, add_call),
        Habit(sizes.emails / days, add_email, office=False),
        Habit(sizes.meetings / days, add_meeting),
        Habit(sizes.tasks / days * 1.05, add_task),
        Habit(sizes.tasks / days, finish_task),
        Habit(sizes.tasks / days * 0.05, archive_task),
        Habit(sizes.feedback_submissions / days, add_feedback, office=False),
    ]


def add_ticket(life: Life) -> None:
    dice = life.dice
    pipeline = life.crm.pipelines["tickets"][1 if dice.chance(0.1) else 0]
    ticket = life.crm.create(
        "tickets",
        life.at,
        {
            "subject": dice.pick(
                ("Cannot log in", "Benefit question", "Change of address", "Complaint: “late” call-back")
            ),
            "content": "Dear team,\r\n\r\nplease help.\t<br>\r\nThanks 🙏",
            "hs_pipeline": pipeline.id,
            "hs_pipeline_stage": pipeline.stages[0].id,
            "hs_ticket_priority": dice.pick(("LOW", "MEDIUM", "HIGH", None)),
            "source_type": dice.pick(("EMAIL", "PHONE", "FORM", "CHAT")),
            "hubspot_owner_id": life.owner(),
        },
    )
    _around(life, ticket, deals=False)


def advance_ticket(life: Life) -> None:
    ticket = life.pick("tickets", 0.1)
    pipeline = life.crm.pipeline("tickets", ticket.get("hs_pipeline")) if ticket is not None else None
    stage = pipeline.stage(ticket.get("hs_pipeline_stage")) if ticket is not None and pipeline is not None else None
    if ticket is None or pipeline is None or stage is None or stage.metadata["isClosed"] == "true":
        return
    after = pipeline.stages[pipeline.stages.index(stage) + 1]
    closed = after.metadata["isClosed"] == "true"
    life.crm.change(
        ticket,
        life.at,
        hs_pipeline_stage=after.id,
        closed_date=iso(life.at) if closed else None,
        time_to_close=life.at - ticket.created if closed else None,
    )


def add_call(life: Life) -> None:
    dice = life.dice
    call = life.crm.create(
        "calls",
        life.at,
        {
            "hs_timestamp": iso(life.at - dice.between(1, 90) * MINUTE),
            "hs_call_title": "Call",
            "hs_call_body": "<p>Spoke about the renewal.</p>",
            "hs_call_direction": dice.pick(("OUTBOUND", "INBOUND")),
            "hs_call_duration": dice.between(0, 3_600_000),
            "hs_call_status": dice.pick(("COMPLETED", "NO_ANSWER", "BUSY")),
            "hubspot_owner_id": life.owner(),
        },
    )
    _around(life, call)


def add_email(life: Life) -> None:
    dice = life.dice
    email = life.crm.create(
        "emails",
        life.at,
        {
            "hs_timestamp": iso(life.at),
            "hs_email_subject": dice.pick(("Re: proposal", "Your EAP account", "Invoice question", "Übersicht")),
            "hs_email_text": "Hello,\n\nsee attached.\n",
            "hs_email_direction": dice.pick(("EMAIL", "INCOMING_EMAIL", "FORWARDED_EMAIL")),
            "hs_email_status": dice.pick(("SENT", "BOUNCED", "SCHEDULED")),
            "hubspot_owner_id": life.owner(),
        },
    )
    _around(life, email)


def add_meeting(life: Life) -> None:
    start = life.at + life.dice.between(1, 10) * DAY
    meeting = life.crm.create(
        "meetings",
        life.at,
        {
            "hs_timestamp": iso(start),
            "hs_meeting_title": "Review",
            "hs_meeting_start_time": iso(start),
            "hs_meeting_end_time": iso(start + 45 * MINUTE),
            "hs_meeting_outcome": life.dice.pick(("SCHEDULED", "COMPLETED", "NO_SHOW", None)),
            "hubspot_owner_id": life.owner(),
        },
    )
    _around(life, meeting)


def add_task(life: Life) -> None:
    task = life.crm.create(
        "tasks",
        life.at,
        {
            "hs_timestamp": iso(life.at + life.dice.between(1, 14) * DAY),
            "hs_task_subject": "Follow up",
            "hs_task_status": "NOT_STARTED",
            "hs_task_priority": life.dice.pick(("LOW", "HIGH", "NONE")),
            "hs_task_type": life.dice.pick(("TODO", "CALL", "EMAIL")),
            "hubspot_owner_id": life.owner(),
        },
    )
    _around(life, task)


def finish_task(life: Life) -> None:
    task = life.pick("tasks", 0.2)
    if task is not None and task.get("hs_task_status") != "COMPLETED":
        life.crm.change(task, life.at, hs_task_status="COMPLETED", hs_task_completion_date=iso(life.at))


def archive_task(life: Life) -> None:
    task = life.pick("tasks")
    if task is not None:
        life.crm.archive(task, life.at)


def add_feedback(life: Life) -> None:
    """An answer to a survey; submissions are never changed afterwards."""
    dice, contact = life.dice, life.pick("contacts", 0.5)
    if contact is None:
        return
    value = dice.between(0, 10)
    submission = life.crm.create(
        "feedback_submissions",
        life.at,
        {
            "hs_survey_id": "11",
            "hs_survey_name": "Client NPS",
            "hs_survey_type": "NPS",
            "hs_survey_channel": dice.pick(("EMAIL", "WEBPAGE")),
            "hs_value": value,
            "hs_sentiment": "POSITIVE" if value > 8 else "NEUTRAL" if value > 6 else "NEGATIVE",
            "hs_content": dice.pick(("Great!", "Ok", "Too slow…", None)),
            "hs_submission_timestamp": iso(life.at),
        },
    )
    life.crm.link(submission, contact)


def _around(life: Life, record: Record, *, deals: bool = True) -> None:
    """Associate a record with a contact, that contact's company and, now and then, a deal."""
    contact = life.pick("contacts", 0.6)
    if contact is None:
        return
    life.crm.link(record, contact)
    company = life.crm.records["companies"].get(int(contact.get("associatedcompanyid") or 0))
    if company is not None and company.live:
        life.crm.link(record, company, *(("Primary",) if record.kind.plural == "tickets" else ()))
    deal = life.pick("deals", 0.3) if deals and life.dice.chance(0.3) else None
    if deal is not None:
        life.crm.link(record, deal)
