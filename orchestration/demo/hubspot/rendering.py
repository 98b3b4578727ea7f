"""Records as HubSpot's JSON: every property value is text or null."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from orchestration.demo.crm.formats import iso
from orchestration.demo.crm.kinds import LINK_TYPES, Kind
from orchestration.demo.crm.records import Record
from orchestration.demo.crm.store import Crm

LINKS_PER_RECORD = 100


class Wanted:
    """What a request asked about each record."""

    def __init__(
        self,
        crm: Crm,
        kind: Kind,
        properties: list[str] | None = None,
        history: list[str] | None = None,
        associations: list[Kind] | None = None,
    ) -> None:
        known = crm.properties[kind.plural]
        always = (kind.created, kind.modified, "hs_object_id")
        asked = kind.default_properties if not properties else (*properties, *always)
        # Names nobody knows are passed over in silence, as HubSpot does.
        self.properties = [name for name in dict.fromkeys(asked) if name in known]
        self.history = [name for name in dict.fromkeys(history or ()) if name in known]
        self.associations = associations or []
        self.crm = crm
        self.kind = kind

    def render(self, record: Record, values: Mapping[str, str] | None = None, base_url: str = "") -> dict:
        """One record; ``values`` replace its properties where an older state is to be shown."""
        held = record.properties if values is None else values
        body: dict[str, object] = {
            "id": str(record.id),
            "properties": {name: held.get(name) for name in self.properties},
        }
        if self.history:
            body["propertiesWithHistory"] = {name: _past(record, name) for name in self.history}
        body["createdAt"] = iso(record.created)
        body["updatedAt"] = held.get(record.kind.modified) or iso(record.updated)
        body["archived"] = not record.live
        if record.archived_at is not None:
            body["archivedAt"] = iso(record.archived_at)
        if self.associations:
            linked = {kind.plural: self._links(record, kind, base_url) for kind in self.associations}
            if found := {plural: links for plural, links in linked.items() if links}:
                body["associations"] = found
        return body

    def shown(
        self,
        record: Record,
        raw: Mapping[tuple[str, int], bytes],
        values: Mapping[str, str] | None = None,
        base_url: str = "",
    ) -> dict | msgspec.Raw:
        """One record of a list: as rendered, or what somebody put in its place."""
        given = raw.get((self.kind.plural, record.id))
        return self.render(record, values, base_url) if given is None else msgspec.Raw(given)

    def _links(self, record: Record, other: Kind, base_url: str) -> dict | None:
        """Associations as version 3 lists them: one entry per type, so an id may come more than once."""
        links = self.crm.links(self.kind.plural, record.id, other.plural)
        if not links:
            return None
        plain = f"{self.kind.singular}_to_{other.singular}"
        first = list(links)[:LINKS_PER_RECORD]
        results = []
        for number in first:
            for label in links[number]:
                name = plain if label == "Primary" else label.lower().replace(" ", "_")
                results.append({"id": str(number), "type": name})
            results.append({"id": str(number), "type": f"{plain}_unlabeled" if links[number] else plain})
        body: dict[str, object] = {"results": results}
        if len(links) > len(first):
            path = f"/crm/v4/objects/{self.kind.plural}/{record.id}/associations/{other.plural}"
            body["paging"] = {"next": {"after": str(first[-1]), "link": f"{base_url}{path}?after={first[-1]}"}}
        return body


def association_types(one: str, other: str, labels: tuple[str, ...]) -> list[dict]:
    """The types of one association as version 4 shows them."""
    facts = LINK_TYPES.get((one, other))
    types = []
    for label in labels:
        if label == "Primary" and facts is not None and facts.primary_id is not None:
            types.append({"category": "HUBSPOT_DEFINED", "typeId": facts.primary_id, "label": "Primary"})
        else:
            types.append({"category": "USER_DEFINED", "typeId": 36, "label": label})
    if facts is not None:
        types.append({"category": "HUBSPOT_DEFINED", "typeId": facts.type_id, "label": None})
    return types


def paging(base_url: str, path: str, query: list[tuple[str, str]], after: str) -> dict:
    """The link to the next page."""
    kept = "".join(f"{quote(name)}={quote(value)}&" for name, value in query if name != "after")
    return {"next": {"after": after, "link": f"{base_url}{path}?{kept}after={after}"}}


def _past(record: Record, name: str) -> list[dict]:
    """A property's versions, newest first."""
    return [
        {"value": value or "", "timestamp": iso(at), "sourceType": "CRM_UI"}
        for at, value in reversed(record.past(name))
    ]
