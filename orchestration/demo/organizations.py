"""The demo's organizations: who they are, and the organizations.yml and credentials that connect them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import yaml

from orchestration.demo.books.company import Company
from orchestration.demo.crm import portals
from orchestration.demo.ga4 import properties
from orchestration.demo.peers import peer_companies
from orchestration.demo.quickbooks.oauth import CLIENT_ID, client_secret, first_refresh_token
from orchestration.demo.zoom import accounts as zoom

if TYPE_CHECKING:
    from orchestration.demo.serving.databases import DemoDatabase

QUICKBOOKS_PORT = 9101
CLIENT_ID_NAME = "DEMO_QUICKBOOKS_CLIENT_ID"
CLIENT_SECRET_NAME = "DEMO_QUICKBOOKS_CLIENT_SECRET"  # noqa: S105 - the name of a variable

BENNETT = Company(
    1,
    "bennett",
    "Bennett",
    "9130350000000001",
    fiscal_year_start_month=11,
    industry="42",
    books_start=date(2023, 11, 1),
    start_date=date(2024, 1, 1),
    invoices_per_month=45,
    typical_line=240_000,
    sales_tax_bp=688,
    prepayments=True,
    restatements_per_month=14,
)
VITAL = Company(
    2,
    "vital_worklife",
    "VITAL WorkLife",
    "9130350000000002",
    timezone="America/Chicago",
    industry="62",
    accounting_method="Cash",
    report_basis="Cash",
    books_start=date(2023, 12, 1),
    start_date=date(2023, 12, 1),
    invoices_per_month=34,
    typical_line=310_000,
    sells_goods=False,
    prepayments=True,
    restatements_per_month=10,
)
_SMALL_SIZE: dict[str, Any] = {
    "books_start": date(2025, 7, 1),
    "start_date": date(2025, 7, 1),
    "invoices_per_month": 5,
}
_SMALL: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("acorn_supply", "Acorn Supply", {"account_numbers": True, "sales_tax_bp": 725}),
    ("birch_dental", "Birch Dental", {"industry": "62", "sells_goods": False, "accounting_method": "Cash"}),
    ("cascade_freight", "Cascade Freight", {"industry": "48", "sells_goods": False, "other_income": False}),
    ("dune_builders", "Dune Builders", {"industry": "23", "quiet_months": frozenset({1, 2})}),
    ("elm_street_books", "Elm Street Books", {"industry": "45", "other_income": False, "sales_tax_bp": 600}),
    ("fjord_software", "Fjord Software", {"industry": "51", "sells_goods": False, "prepayments": True}),
    ("gatineau_outils", "Outils Gatineau inc.", {"language": "fr", "country": "CA", "currency": "CAD", "locale": "CA"}),
    ("harbor_foods", "Harbor Foods", {"timezone": "America/New_York", "cash_flow_form": "adjustments"}),
    ("iris_clinic", "Iris Clinic", {"industry": "62", "sells_goods": False, "timezone": "America/Los_Angeles"}),
    ("juniper_farms", "Juniper Farms", {"industry": "11", "quiet_months": frozenset({12, 1}), "other_income": False}),
    ("kestrel_labs", "Kestrel Labs", {"industry": "54", "soft_launch": True}),
    ("lakeside_motors", "Lakeside Motors", {"industry": "44", "fiscal_year_start_month": 7, "sales_tax_bp": 650}),
    ("mesa_law", "Mesa Law", {"industry": "54", "sells_goods": False, "timezone": "America/Phoenix"}),
    ("northgate_london", "Northgate London Ltd", {"currency": "GBP", "country": "GB", "timezone": "Europe/London"}),
    ("opal_events", "Opal Events", {"industry": "71", "balance_sheet_total": True, "accounting_method": "Cash"}),
    ("pine_ridge_hvac", "Pine Ridge HVAC", {"industry": "23", "fiscal_year_start_month": 4}),
    (
        "quarry_stone",
        "Quarry & Stone",
        {"industry": "42", "renamed_sections": (("Income", "Turnover"),), "cash_flow_form": "ungrouped"},
    ),
    ("rowan_studio", "Rowan Studio", {"industry": "54", "sells_goods": False, "books_start": date(2025, 9, 1)}),
    ("sable_new", "Sable (opens soon)", {"industry": "72", "dormant": True, "start_date": date(2026, 7, 1)}),
    ("tundra_pacific", "Tundra Pacific", {"timezone": "Pacific/Auckland", "locale": "AU"}),
)
COMPANIES: tuple[Company, ...] = (
    BENNETT,
    VITAL,
    *(
        Company(number, slug, name, f"91303500000000{number:02d}", **(_SMALL_SIZE | facts))
        for number, (slug, name, facts) in enumerate(_SMALL, start=3)
    ),
)


DEMO_COMPANIES: tuple[Company, ...] = (*COMPANIES, *peer_companies(first_id=len(COMPANIES) + 1))
"""All of the demo's: those above, each with something of its own, and many like each other."""


def quickbooks_port() -> int:
    """Port of the demo's stand-in: fixed, so that connections stay valid; DEMO_QUICKBOOKS_PORT names another."""
    return int(os.environ.get("DEMO_QUICKBOOKS_PORT") or QUICKBOOKS_PORT)


def refresh_token_name(company: Company) -> str:
    """Variable that holds a company's first refresh token."""
    return f"DEMO_QUICKBOOKS_REFRESH_TOKEN_{company.slug.upper()}"


def connection_of(company: Company, base_url: str) -> dict[str, Any]:
    """A company's connection with its credentials resolved."""
    return {
        "realm_id": company.realm_id,
        "client_id": CLIENT_ID,
        "client_secret": client_secret(),
        "refresh_token": first_refresh_token(company.realm_id),
        "accounting_method": company.accounting_method,
        "start_date": company.start_date,
        "base_url": base_url,
        "token_url": f"{base_url}/oauth2/v1/tokens/bearer",
    }


def organizations_yaml(databases: Iterable[DemoDatabase] = (), companies: Iterable[Company] = DEMO_COMPANIES) -> str:
    """The demo's organizations.yml: references where credentials belong. ``databases``: SQL sources that were made."""
    base_url = f"http://127.0.0.1:{quickbooks_port()}"
    listed = []
    for company in companies:
        references = {
            "client_id": f"env:{CLIENT_ID_NAME}",
            "client_secret": f"env:{CLIENT_SECRET_NAME}",
            "refresh_token": f"env:{refresh_token_name(company)}",
        }
        listed.append(
            {
                "id": company.org_id,
                "slug": company.slug,
                "name": company.name,
                "timezone": company.timezone,
                "currency": company.currency,
                "fiscal_year_start_month": company.fiscal_year_start_month,
                "industry": company.industry,
                "connections": {"quickbooks": connection_of(company, base_url) | references},
            }
        )
    connections = {entry["slug"]: entry["connections"] for entry in listed}
    for slug, source, settings in _others(databases):
        if slug in connections:
            connections[slug][source] = settings
    return yaml.safe_dump({"organizations": listed}, sort_keys=False, allow_unicode=True)


def _others(databases: Iterable[DemoDatabase]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(slug, source, settings) of connections beside QuickBooks."""
    for portal in portals.DEMO_PORTALS:
        hubspot_url = f"http://127.0.0.1:{portals.hubspot_port()}"
        yield portal.slug, "hubspot", {"access_token": f"env:{portals.token_name(portal)}", "base_url": hubspot_url}
    for account in zoom.DEMO_ACCOUNTS:
        settings = zoom.connection_of(account, f"http://127.0.0.1:{zoom.zoom_port()}")
        yield account.slug, "zoom", settings | {"client_secret": f"env:{zoom.secret_name(account)}"}
    for given in properties.DEMO_PROPERTIES:
        yield given.slug, "ga4", properties.connection_of(given, f"http://127.0.0.1:{properties.ga4_port()}")
    for one in databases:
        yield one.slug, one.source, one.connection


def demo_environment() -> dict[str, str]:
    """Values of every variable that ``organizations_yaml`` refers to. They open the stand-in and nothing else."""
    values = {CLIENT_ID_NAME: CLIENT_ID, CLIENT_SECRET_NAME: client_secret()}
    values |= {refresh_token_name(company): first_refresh_token(company.realm_id) for company in DEMO_COMPANIES}
    values |= {zoom.secret_name(account): account.client_secret for account in zoom.DEMO_ACCOUNTS}
    return values | {portals.token_name(portal): portal.token for portal in portals.DEMO_PORTALS}
