"""What describes a portal: property catalogues, pipelines, owners, the account itself."""

from __future__ import annotations

from datetime import timedelta

from orchestration.demo.crm.catalogue import Property
from orchestration.demo.crm.formats import iso
from orchestration.demo.crm.records import Owner, Pipeline, Stage
from orchestration.demo.hubspot.account import Account
from orchestration.demo.hubspot.asking import Call, cursor, read_cursor, record_id
from orchestration.demo.hubspot.errors import not_found
from orchestration.demo.hubspot.rendering import paging

OWNERS_DEFAULT, OWNERS_MOST = 100, 500


def list_properties(account: Account, call: Call) -> tuple[int, dict]:
    """A kind's whole catalogue; it has no pages."""
    if call.flag("archived"):
        return 200, {"results": []}
    properties = account.crm.properties[call.kind().plural].values()
    return 200, {"results": [_property(made, order) for order, made in enumerate(properties)]}


def get_property(account: Account, call: Call) -> tuple[int, dict]:
    made = account.crm.properties[call.kind().plural].get(call.parts["name"])
    if made is None:
        raise not_found(f"Property {call.parts['name']} does not exist")
    return 200, _property(made, -1)


def list_pipelines(account: Account, call: Call) -> tuple[int, dict]:
    """A kind's pipelines with their stages; those that were removed are not among them."""
    pipelines = account.crm.pipelines.get(call.kind().plural, [])
    return 200, {"results": [_pipeline(pipeline, order) for order, pipeline in enumerate(pipelines)]}


def get_pipeline(account: Account, call: Call) -> tuple[int, dict]:
    pipelines = account.crm.pipelines.get(call.kind().plural, [])
    for order, pipeline in enumerate(pipelines):
        if pipeline.id == call.parts["id"]:
            return 200, _pipeline(pipeline, order)
    raise not_found()


def list_owners(account: Account, call: Call) -> tuple[int, dict]:
    """Owners who are here, or those who left."""
    limit = call.limit(OWNERS_DEFAULT, OWNERS_MOST)
    last, _ = read_cursor(call.one("after"))
    archived, email = account.archived_asked(call), call.one("email")
    owners = [
        owner
        for number, owner in sorted(account.crm.owners.items())
        if number > last and owner.archived == archived and email in (None, owner.email)
    ]
    body: dict[str, object] = {"results": [_owner(owner) for owner in owners[:limit]]}
    if len(owners) > limit:
        body["paging"] = paging(call.base_url, call.path, call.query, cursor(owners[limit - 1].id))
    return 200, body


def get_owner(account: Account, call: Call) -> tuple[int, dict]:
    owner = account.crm.owners.get(record_id(call.parts["id"]))
    if owner is None or owner.archived != call.flag("archived"):
        raise not_found()
    return 200, _owner(owner)


def account_details(account: Account, call: Call) -> tuple[int, dict]:
    portal = account.portal
    offset = account.instant.astimezone(portal.zone).utcoffset() or timedelta()
    minutes = int(offset.total_seconds()) // 60
    return 200, {
        "portalId": portal.hub_id,
        "accountType": "STANDARD",
        "timeZone": portal.timezone,
        "companyCurrency": portal.currency,
        "additionalCurrencies": [code for code, _ in portal.currencies],
        "utcOffset": f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}",
        "utcOffsetMilliseconds": minutes * 60_000,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": portal.token.split("-")[1],
    }


def daily_usage(account: Account, call: Call) -> tuple[int, dict]:
    midnight = (account.instant.astimezone(account.portal.zone) + timedelta(days=1)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    usage = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": account.meter.limits.per_day,
        "currentUsage": account.meter.used_today,
        "collectedAt": iso(account.now),
        "resetsAt": iso(round(midnight.timestamp() * 1000)),
        "fetchStatus": "SUCCESS",
    }
    return 200, {"results": [usage]}


def _property(made: Property, order: int) -> dict:
    own = (
        {}
        if made.hubspot_defined
        else {"createdAt": "2024-03-05T15:04:05.678Z", "updatedAt": "2024-03-05T15:04:05.678Z"}
    )
    return own | {
        "name": made.name,
        "label": made.label,
        "type": made.type,
        "fieldType": made.field_type,
        "description": "",
        "groupName": made.group,
        "options": [
            {"label": label, "value": value, "displayOrder": number, "hidden": False}
            for number, (value, label) in enumerate(made.options)
        ],
        "displayOrder": order,
        "calculated": made.calculated,
        "externalOptions": made.name == "hubspot_owner_id",
        "hasUniqueValue": made.has_unique_value,
        "hidden": False,
        "hubspotDefined": made.hubspot_defined,
        "modificationMetadata": {
            "archivable": not made.hubspot_defined,
            "readOnlyDefinition": made.hubspot_defined,
            "readOnlyValue": made.calculated,
        },
        "formField": not made.calculated,
        "archived": False,
        "dataSensitivity": "non_sensitive",
    }


def _pipeline(pipeline: Pipeline, order: int) -> dict:
    return {
        "label": pipeline.label,
        "displayOrder": order,
        "id": pipeline.id,
        "stages": [_stage(stage, number) for number, stage in enumerate(pipeline.stages)],
        "createdAt": iso(pipeline.created),
        "updatedAt": iso(pipeline.updated),
        "archived": False,
    }


def _stage(stage: Stage, order: int) -> dict:
    return {
        "label": stage.label,
        "displayOrder": order,
        "metadata": dict(stage.metadata),
        "id": stage.id,
        "createdAt": iso(stage.created),
        "updatedAt": iso(stage.updated),
        "archived": False,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }


def _owner(owner: Owner) -> dict:
    body: dict[str, object] = {
        "id": str(owner.id),
        "email": owner.email,
        "type": "PERSON",
        "firstName": owner.first_name,
        "lastName": owner.last_name,
        "userId": None if owner.archived else owner.user_id,
        "userIdIncludingInactive": owner.user_id,
        "createdAt": iso(owner.created),
        "updatedAt": iso(owner.updated),
        "archived": owner.archived,
    }
    if owner.team is not None:
        body["teams"] = [{"id": str(owner.team[0]), "name": owner.team[1], "primary": True}]
    return body
