"""Pipelines of the demo's portals and what happens to them: labels change, stages go while deals sit in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.demo.crm.catalogue import LIFECYCLE, Property
from orchestration.demo.crm.records import Pipeline, Stage

if TYPE_CHECKING:
    from orchestration.demo.crm.life import Life

# Lifecycle stages of the portal's own: HubSpot gives them numbers.
CUSTOM_LIFECYCLE = (("90210477", "Renewal at risk"), ("90210478", "Former client"))

# (pipeline id, label, ((stage id, label, isClosed, probability), ...)). Labels lie about who won on purpose.
DEALS = (
    (
        "default",
        "Sales Pipeline",
        (
            ("appointmentscheduled", "Appointment Scheduled", "false", "0.2"),
            ("qualifiedtobuy", "Qualified To Buy", "false", "0.4"),
            ("presentationscheduled", "Presentation Scheduled", "false", "0.6"),
            ("decisionmakerboughtin", "Decision Maker Bought-In", "false", "0.8"),
            ("contractsent", "Contract Sent", "false", "0.9"),
            ("closedwon", "Closed Won", "true", "1.0"),
            ("closedlost", "Closed Lost", "true", "0.0"),
        ),
    ),
    (
        "25817344",
        "Renewals",
        (
            ("61820417", "Renewal due", "false", "0.5"),
            ("61820418", "Won back – in talks", "false", "0.7"),
            ("61820421", "Lost contact, still trying", "false", "0.1"),
            ("61820419", "Renewed", "true", "1.0"),
            ("61820420", "Not renewed", "true", "0.0"),
            ("61820422", "Paused by the client", "true", "0.5"),
        ),
    ),
    (
        # Takes two ids of the default pipeline for stages that mean something else.
        "31120958",
        "Partner referrals",
        (
            ("61990001", "Referred", "false", "0.3"),
            ("qualifiedtobuy", "Not won yet", "false", "0.5"),
            ("contractsent", "Agreement signed", "true", "1"),
            ("61990004", "Declined 🙁", "true", "0"),
        ),
    ),
    (
        "28840011",
        "Employer pilots",
        (
            ("57300101", "Pilot planned", "false", "0.3"),
            ("57300102", "Pilot running", "false", "0.6"),
            ("57300103", "Pilot bought", "true", "1.0"),
            ("57300104", "Pilot ended", "true", "0.0"),
        ),
    ),
)
TICKETS = (
    (
        "0",
        "Support Pipeline",
        (
            ("1", "New", "false"),
            ("2", "Waiting on contact", "false"),
            ("3", "Waiting on us", "false"),
            ("4", "Closed", "true"),
        ),
    ),
    ("40771230", "Clinical escalations", (("91160001", "Raised", "false"), ("91160002", "Settled", "true"))),
)

# Day from the world's first on -> (what, pipeline, stage, label).
CHANGES: dict[int, tuple[tuple[str, str, str, str], ...]] = {
    -420: (("rename", "default", "closedwon", "Closed Won 🎉"),),
    -150: (("remove_pipeline", "28840011", "", ""),),
    -40: (("remove", "default", "presentationscheduled", ""),),
    2: (("rename", "default", "contractsent", "Lost in legal review"),),
    4: (("remove", "25817344", "61820421", ""),),
    6: (("add", "default", "138226001", "Security review"), ("rename", "31120958", "61990004", "Declined")),
    9: (("rename", "25817344", "61820419", "Not lost"),),
    20: (("remove", "31120958", "61990001", ""),),
}


def open_pipelines(life: Life) -> None:
    """The pipelines as they are on the portal's first day, and the properties that come with their stages."""
    at, crm = life.at, life.crm
    for pipeline_id, label, stages in DEALS:
        made = [
            Stage(stage, text, {"isClosed": closed, "probability": probability}, at, at)
            for stage, text, closed, probability in stages
        ]
        crm.pipelines["deals"].append(Pipeline(pipeline_id, label, at, at, made))
    for pipeline_id, label, steps in TICKETS:
        made = [
            Stage(stage, text, {"isClosed": closed, "ticketState": "CLOSED" if closed == "true" else "OPEN"}, at, at)
            for stage, text, closed in steps
        ]
        crm.pipelines["tickets"].append(Pipeline(pipeline_id, label, at, at, made))
    lifecycle = crm.properties["contacts"]["lifecyclestage"]
    options = (*LIFECYCLE, *CUSTOM_LIFECYCLE)
    for kind in ("contacts", "companies"):
        crm.properties[kind]["lifecyclestage"] = Property(**{**_facts(lifecycle), "options": options})
    if life.portal.stage_properties:
        _stage_properties(life, "contacts", [value for value, _ in options])
        _stage_properties(life, "deals", dict.fromkeys(s.id for p in crm.pipelines["deals"] for s in p.stages))


def change_pipelines(life: Life, day: int) -> None:
    """What is due on a day, counted from the world's first; deals stay where they are."""
    for what, pipeline_id, stage_id, label in CHANGES.get(day, ()):
        pipelines = life.crm.pipelines["deals"]
        pipeline = life.crm.pipeline("deals", pipeline_id)
        if pipeline is None:
            continue
        pipeline.updated = life.at
        stage = pipeline.stage(stage_id)
        if what == "remove_pipeline":
            pipelines.remove(pipeline)
        elif what == "remove" and stage is not None:
            pipeline.stages.remove(stage)
        elif what == "rename" and stage is not None:
            stage.label, stage.updated = label, life.at
        elif what == "add" and stage is None:
            metadata = {"isClosed": "false", "probability": "0.85"}
            pipeline.stages.insert(3, Stage(stage_id, label, metadata, life.at, life.at))
            if life.portal.stage_properties:
                _stage_properties(life, "deals", [stage_id])


def _stage_properties(life: Life, kind: str, stages: object) -> None:
    group = f"{kind[:-1]}_stage_history"
    for stage in stages:  # type: ignore[attr-defined]
        for name, type_name in (
            ("date_entered", "datetime"),
            ("date_exited", "datetime"),
            ("latest_time_in", "number"),
            ("cumulative_time_in", "number"),
        ):
            made = Property(f"hs_v2_{name}_{stage}", f"{name} {stage}", type_name, "number", group, calculated=True)
            life.crm.properties[kind][made.name] = made


def _facts(made: Property) -> dict:
    return {name: getattr(made, name) for name in made.__dataclass_fields__}
