"""docs/demo.md names what the demo consists of: a stand-in that is added has to be described, too."""

from __future__ import annotations

import re

import pytest
import yaml

from orchestration.demo.crm.portals import hubspot_port
from orchestration.demo.databases import DATABASES
from orchestration.demo.ga4.properties import ga4_port
from orchestration.demo.organizations import organizations_yaml, quickbooks_port
from orchestration.demo.zoom.accounts import zoom_port
from orchestration.settings import PROJECT_ROOT
from orchestration.sources import SOURCES

PAGE = (PROJECT_ROOT / "docs" / "demo.md").read_text(encoding="utf-8")
PORTS = {
    "DEMO_QUICKBOOKS_PORT": quickbooks_port,
    "DEMO_HUBSPOT_PORT": hubspot_port,
    "DEMO_ZOOM_PORT": zoom_port,
    "DEMO_GA4_PORT": ga4_port,
}


def test_the_page_has_every_port_and_the_variable_that_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    documented = {name: int(port) for port, name in re.findall(r"\| (\d{4}) \| `(DEMO_\w+_PORT)` \|", PAGE)}
    for name in PORTS:
        monkeypatch.delenv(name, raising=False)
    assert documented == {name: port() for name, port in PORTS.items()}
    for name, port in PORTS.items():
        monkeypatch.setenv(name, "7001")
        assert port() == 7001


def test_the_page_has_every_database_and_a_table_row_for_every_source() -> None:
    assert set(re.findall(r"^\| `(demo_\w+)` \|", PAGE, re.M)) == {one.name for one in DATABASES}
    table = PAGE.split("| source | where |")[1].split("\n\n")[0].splitlines()[2:]
    assert len(table) == len(SOURCES)


def test_whoever_the_page_says_a_source_is_for_is_connected_to_it() -> None:
    entries = yaml.safe_load(organizations_yaml(DATABASES))["organizations"]
    names = {source: {entry["name"] for entry in entries if source in entry["connections"]} for source in SOURCES}
    table = PAGE.split("| source | where |")[1].split("\n\n")[0].splitlines()[2:]
    documented = sorted(sorted(line.rstrip(" |").rpartition("| ")[2].split(", ")) for line in table)
    said = {source: sorted(found) for source, found in names.items() if source != "quickbooks"}
    assert documented == sorted([[f"all {len(names['quickbooks'])} organizations"], *said.values()])
