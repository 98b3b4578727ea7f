"""Stand-ins of many small organizations, for benchmarks: in a process of their own, until standard input ends.

python -m tests.benchmarks.six_standins 200 DIRECTORY

They live in the world that the directory holds. Prints one line of JSON once all of them answer: (slug, source,
settings) of every connection, credentials resolved.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

from orchestration.demo import ga4_server, hubspot_server, quickbooks_server, zoom_server
from orchestration.demo.crm.portals import Limits as PortalLimits
from orchestration.demo.crm.portals import Portal, demo_portal
from orchestration.demo.ga4.properties import FJORD_APP, Property
from orchestration.demo.organizations import connection_of
from orchestration.demo.peers import peer_companies
from orchestration.demo.zoom.accounts import IRIS_CLINIC, ZoomAccount


def portal(number: int, slug: str) -> Portal:
    return replace(demo_portal(number), slug=slug, limits=PortalLimits(None, None, None))


def account(number: int, slug: str) -> ZoomAccount:
    name = f"{number:06d}"
    return replace(
        IRIS_CLINIC,
        slug=slug,
        account_id=f"account-{name}",
        client_id=f"client-{name}",
        client_secret=f"stand-in-secret-of-{name}",
        plan=None,
        history_days=30,
        calls_per_day=5,
    )


def property_of(number: int, slug: str) -> Property:
    return replace(FJORD_APP, slug=slug, number=100_000_000 + number, project=f"project-{number}", history_days=30)


def main() -> None:
    """Serve until standard input is closed."""
    companies = [replace(one, start_date=date(2026, 6, 1)) for one in peer_companies(1, int(sys.argv[1]))]
    slugs = {company.org_id: company.slug for company in companies}
    portals = [portal(number, slug) for number, slug in slugs.items()]
    accounts = [account(number, slug) for number, slug in slugs.items()]
    properties = [property_of(number, slug) for number, slug in slugs.items()]
    directory = Path(sys.argv[2])
    with (
        quickbooks_server.running(directory, companies=companies) as quickbooks,
        hubspot_server.running(directory, portals=portals) as hubspot,
        zoom_server.running(directory, accounts=accounts) as zoom,
        ga4_server.running(directory, properties=properties) as ga4,
    ):
        for limits in quickbooks.service.limits.values():
            limits.per_minute = limits.reports_per_minute = limits.at_once = None
        connections = [
            *((c.slug, "quickbooks", connection_of(c, quickbooks.base_url)) for c in companies),
            *((p.slug, "hubspot", {"access_token": p.token, "base_url": hubspot.base_url}) for p in portals),
            *((a.slug, "zoom", zoom.connection(a.slug)) for a in accounts),
            *((p.slug, "ga4", ga4.connection(p.slug)) for p in properties),
        ]
        print(json.dumps(connections, default=str), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
