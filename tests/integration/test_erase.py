"""An organization that was erased is nowhere any more, and nothing brings it back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
import yaml
from cryptography.fernet import Fernet
from landing_helpers import record
from psycopg import sql
from test_sync import Scripted, World, three_records
from typer.testing import CliRunner
from warehouse_world import warehouse_world

from orchestration import erase as erasing
from orchestration.commands.orgs import app
from orchestration.errors import DatabaseError, PermanentError, UsageError
from orchestration.settings import PROJECT_ROOT
from orchestration.sources import SOURCES
from orchestration.sources.core.connection import ConnectionSettings, SecretReference
from orchestration.sources.core.source import Source
from orchestration.sync import sync
from orchestration.warehouse import database as warehouse_database
from orchestration.warehouse import organizations, roles
from orchestration.warehouse.database_errors import database_errors
from orchestration.warehouse.dbt import build_lock
from orchestration.warehouse.erase import remove_organization
from orchestration.warehouse.erased import SQLSTATE

SLUG, NAME = "zebedee_quill", "Zebedee Quill & Söhne"
UUID = "5d0c1f5e-7c55-4d4e-9d7a-0c3a7e7f9b11"
VALUES = ("Canarius Feather", "zq-refresh-canary", "zq-token-canary")
CANARIES = (SLUG, NAME, "Zebedee Quill", UUID, *VALUES)
SETTINGS = {"secret": "env:ZEBEDEE_SECRET"}

ALL_TABLES = """
select n.nspname, c.relname from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm') and c.relpersistence <> 't'
    and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
"""


class Settings(ConnectionSettings):
    secret: SecretReference


def entry(number: int, slug: str, name: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "slug": slug, "name": name, "timezone": "UTC", "currency": "USD", **more}


FILE = {
    "organizations": [
        entry(7, SLUG, NAME, organization_id=UUID, connections={"scripted": SETTINGS}),
        entry(8, "other", "Other", connections={"scripted": {"secret": "env:OTHER_SECRET"}}),
    ]
}


def with_canaries(organization: str, stream: str) -> Iterator[Any]:
    text = VALUES[0] if organization == SLUG else "nobody"
    if stream == "bill":
        raise PermanentError(f"the bills of {text} can't be read")
    return (record(f"{text} {number}", name=text, of=organization) for number in range(3))


@pytest.fixture
def world(database_everywhere: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    source = Scripted(read_stream=with_canaries)
    monkeypatch.setitem(SOURCES, "scripted", Source("scripted", source_streams(), Settings, source.open))
    monkeypatch.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    for name, value in (("ZEBEDEE_SECRET", VALUES[1]), ("OTHER_SECRET", "other")):
        monkeypatch.setenv(name, value)
    made = World(source)
    file(tmp_path)
    organizations.apply_file(made.connection, tmp_path / "organizations.yml")
    return made


@pytest.fixture
def superuser_of(request: pytest.FixtureRequest, database_everywhere: str, postgres_server: Any) -> str:
    """The administrator's URL of the test's database."""
    name = database_everywhere.rsplit("/", 1)[1]
    return postgres_server(request.node.callspec.params["database_everywhere"]).superuser_url(name)


def source_streams() -> tuple[Any, ...]:
    from test_sync import STREAMS

    return STREAMS


def file(home: Path) -> Path:
    path = home / "organizations.yml"
    path.write_text(yaml.safe_dump(FILE, allow_unicode=True), encoding="utf-8")
    return path


def mentions(connection: psycopg.Connection) -> dict[str, int]:
    """Rows by table that hold a canary or belong to organization 7."""
    found = {}
    patterns = [f"%{canary}%" for canary in CANARIES]
    for schema, table in connection.execute(ALL_TABLES).fetchall():
        statement = sql.SQL("select count(*) from {} as t where t::text like any(%s)").format(
            sql.Identifier(schema, table)
        )
        (count,) = connection.execute(statement, [patterns]).fetchone() or (0,)
        if count:
            found[f"{schema}.{table}"] = count
    statistics = connection.execute(
        "select schemaname || '.' || tablename from pg_stats as s where s::text like any(%s)", [patterns]
    ).fetchall()
    return found | {f"statistics of {table}": 1 for (table,) in statistics}


def files_naming(home: Path) -> list[str]:
    needles = [canary.encode() for canary in CANARIES] + [b"Zebedee Quill"]
    return sorted(
        str(path.relative_to(home))
        for path in home.rglob("*")
        if path.is_file() and any(needle in path.read_bytes() for needle in needles)
    )


def write_outputs(home: Path) -> None:
    for name, text in {
        "data_docs/validations/zebedee_quill/2026.html": "all well",
        "data_docs/other/2026.html": "all well",
        "data_docs/names.html": "<td>Zebedee Quill &amp; Söhne</td>",
        "dbt/runs/abc/run_results.json": f'{{"message": "{VALUES[0]} is no number"}}',
        "dbt/logs/dbt.log": f"{VALUES[0]}",
        "env": "AIOP_X=1\nZEBEDEE_SECRET=zq-refresh-canary\nOTHER_SECRET=other\n",
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")


def run_in_dagster() -> str:
    """A sync as the nightly job does it, in the storage of this home; one stream of each organization fails."""
    from orchestration.defs.execution import prepare_dagster_home
    from orchestration.defs.sources import source_assets

    prepare_dagster_home()
    with dg.DagsterInstance.get() as instance:
        return dg.materialize([source_assets("scripted")], instance=instance, raise_on_error=False).run_id


def other_rows(world: World) -> list[tuple]:
    return world.query(
        "select 'invoice', record_id, payload::text, xmin::text from staging_scripted.invoice where org_id = 8"
        " union all select stream, source, state::text, xmin::text from ops.watermarks where org_id = 8 order by 1, 2"
    )


def test_nothing_of_it_is_left_in_any_table_file_or_run(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = run_in_dagster()
    # Later values of the same records, more of them, so that statistics know them as common.
    world.source.read_stream = lambda organization, _: (
        record(str(number), name=f"{VALUES[0] if organization == SLUG else ''} again") for number in range(20)
    )
    sync("scripted")
    world.connection.execute("create table engine.scores (org_id bigint, words text, id int)")
    world.connection.execute("insert into engine.scores values (7, 'Canarius Feather', 1), (8, 'other', 2)")
    world.connection.execute("create table platform.firms (organization_id uuid, words text)")
    world.connection.execute("insert into platform.firms values (%s, 'Canarius Feather')", [UUID])
    world.connection.execute("insert into ops.oauth_tokens (org_id, source) values (7, 'scripted')")
    world.connection.execute("analyze")
    url = roles.credentials(world.connection, SLUG)
    role = world.query("select role_name from ops.tenant_roles where org_id = 7")[0][0]
    reader = psycopg.connect(url)
    write_outputs(tmp_path)
    before = mentions(world.connection)
    assert {
        "staging_scripted.invoice",
        "dagster.event_logs",
        "ops.organizations",
        "statistics of staging_scripted.invoice",
    } <= before.keys()
    others = other_rows(world)

    outcome = CliRunner().invoke(app, ["erase", SLUG, "--yes"])

    assert outcome.exit_code == 0, outcome.output
    # What remains is the record, which tells nothing but the uuid.
    assert mentions(world.connection) == {"ops.erased_organizations": 1}
    assert files_naming(tmp_path) == ["organizations.yml"]
    assert "organizations.yml" in outcome.output
    assert other_rows(world) == others
    assert world.query("select words from engine.scores") == [("other",)]
    assert world.query("select 1 from pg_roles where rolname = %s", role) == []
    with pytest.raises(psycopg.OperationalError):
        reader.execute("select 1")
    with dg.DagsterInstance.get() as instance:
        assert instance.get_run_by_id(run_id) is None
    assert (tmp_path / "data_docs/other/2026.html").exists()
    assert (tmp_path / "env").read_text() == "AIOP_X=1\nOTHER_SECRET=other\n"
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600
    ((number, removed),) = world.query("select id, rows_removed from ops.erased_organizations")
    assert (number, removed["staging_scripted.invoice"], removed["engine.scores"]) == (7, 23, 1)
    assert world.query("select * from ops.tenancy_violations where object <> 'platform.firms'") == []


@pytest.mark.slow
def test_runs_kept_in_sqlite_are_forgotten_to_the_last_byte(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A home of the user's own, whose file says nothing of the server.
    home = tmp_path / "own_dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    run_in_dagster()
    world.query("update ops.connections set settings = settings where org_id = 7 returning 1")
    monkeypatch.setattr(world.source, "read_stream", with_canaries)
    assert any(name.endswith(".db") for name in files_naming(tmp_path))

    outcome = erasing.erase(world.connection, SLUG)
    assert outcome.runs_deleted == 1
    assert files_naming(tmp_path) == ["organizations.yml"]

    # Runs that never knew it stay.
    kept = run_in_dagster()
    again = erasing.erase(world.connection, SLUG)
    assert (again.earlier is not None, again.runs_deleted) == (True, 0)
    with dg.DagsterInstance.get() as instance:
        assert instance.get_run_by_id(kept) is not None


@pytest.mark.slow
def test_runs_of_other_machines_are_forgotten_where_dagster_never_ran_on_this_one(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_in_dagster()
    assert "dagster.event_logs" in mentions(world.connection)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "another machine"))

    outcome = erasing.erase(world.connection, SLUG)

    assert outcome.runs_deleted == 1
    assert mentions(world.connection) == {"ops.erased_organizations": 1}


def test_the_old_file_can_not_bring_it_back_by_id_slug_or_uuid(world: World, tmp_path: Path) -> None:
    erasing.erase(world.connection, SLUG)
    with pytest.raises(UsageError) as refused:
        organizations.apply_file(world.connection, file(tmp_path))
    assert "zebedee_quill: its id 7, slug, organization_id are of an organization that was erased on" in str(
        refused.value
    )
    assert "as a new organization" in refused.value.hint
    for changed in ({"id": 9}, {"slug": "zq", "organization_id": None}, {"id": 9, "slug": "zq"}):
        one = {**FILE["organizations"][0], **changed}
        (tmp_path / "organizations.yml").write_text(
            yaml.safe_dump({"organizations": [{k: v for k, v in one.items() if v}]}), encoding="utf-8"
        )
        with pytest.raises(UsageError, match="do not come back"):
            organizations.apply_file(world.connection, tmp_path / "organizations.yml")
    with pytest.raises(psycopg.Error) as raised:
        world.connection.execute(
            "insert into ops.organizations (id, slug, name, organization_id, timezone, currency)"
            " values (9, %s, 'x', gen_random_uuid(), 'UTC', 'USD')",
            [SLUG],
        )
    assert raised.value.sqlstate == SQLSTATE
    with pytest.raises(UsageError, match="no organization"):
        sync("scripted", orgs=[SLUG])
    assert sync("scripted").organizations == ["other"]


@pytest.mark.parametrize("workers", [8, 1])
def test_a_sync_that_runs_meanwhile_lands_nothing_of_it_and_everything_of_the_others(
    world: World, workers: int
) -> None:
    reading, erased = threading.Event(), threading.Event()

    def read(organization: str, stream: str) -> Iterator[Any]:
        yield from three_records(organization, stream)
        if (organization, stream) == (SLUG, "invoice"):  # its first stream has landed
            reading.set()
            assert erased.wait(60)

    world.source.read_stream = read
    reports: list[Any] = []
    thread = threading.Thread(target=lambda: reports.append(sync("scripted", workers=workers)))
    thread.start()
    assert reading.wait(60)
    erasing.erase(world.connection, SLUG)
    erased.set()
    thread.join(60)

    (report,) = reports
    assert (report.organizations, report.failures) == (["other"], [])
    assert world.query("select distinct org_id from staging_scripted.customer") == [(8,)]
    assert world.query("select distinct org_id from ops.sync_runs") == [(8,)]
    assert mentions(world.connection) == {"ops.erased_organizations": 1}


def test_a_load_about_to_commit_is_waited_for_and_one_behind_it_gives_way(world: World) -> None:
    sync("scripted")
    late = warehouse_database.connect()
    insert_run = """
        insert into ops.sync_runs (batch_id, org_id, source, stream, status, started_at)
        values (gen_random_uuid(), 7, 'scripted', 'invoice', 'succeeded', now())
    """
    late.execute(
        """
        insert into staging_scripted.invoice
        select 7, 'late', payload, payload_hash, null, null, now(), 1 from staging_scripted.invoice limit 1
        """
    )
    late.execute(insert_run)
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        inside.set()
        assert go_on.wait(60)

    organization = erasing.find_organization(world.connection, SLUG)
    assert organization is not None
    eraser = warehouse_database.connect(autocommit=True)
    thread = threading.Thread(target=lambda: remove_organization(eraser, organization, before_commit=hold))
    thread.start()
    assert not inside.wait(1), "it did not wait for rows that were about to be committed"
    late.commit()
    assert inside.wait(60)
    # Not committed yet: whoever comes now is refused at once, instead of waiting with rows in hand.
    with pytest.raises(psycopg.Error) as refused:
        late.execute(insert_run)
    assert refused.value.sqlstate == SQLSTATE
    late.rollback()
    go_on.set()
    thread.join(60)
    assert world.query("select count(*) from staging_scripted.invoice where org_id = 7") == [(0,)]


def test_a_change_of_the_organization_that_is_not_committed_yet_is_no_erasure(world: World, tmp_path: Path) -> None:
    path = file(tmp_path)
    text = path.read_text(encoding="utf-8").replace(f"slug: {SLUG}", f"slug: {SLUG}\n  industry: '42'")
    path.write_text(text, encoding="utf-8")
    with warehouse_database.connect(autocommit=True) as changing, changing.transaction():
        assert organizations.apply_file(changing, path).changed == (SLUG,)
        report = sync("scripted")
    assert report.organizations == [SLUG, "other"]
    assert [failure.stream for failure in report.failures] == ["bill", "bill"]  # as with_canaries has it
    assert world.query("select count(*) from staging_scripted.invoice where org_id = 7") == [(3,)]
    assert world.query("select industry from ops.organizations where id = 7") == [("42",)]


CHILD = """
import sys, time
from orchestration import erase
from orchestration.warehouse import database
def hang(*arguments):
    print("here", flush=True)
    time.sleep(600)
real = erase.remove_organization
if sys.argv[1] == "before commit":
    erase.remove_organization = lambda *arguments: real(*arguments, before_commit=hang)
else:
    erase.drop_variables = hang
erase.erase(database.connect(autocommit=True), "zebedee_quill")
"""


@pytest.mark.parametrize("moment", ["before commit", "after commit"])
def test_killed_half_way_it_is_finished_by_erasing_again(world: World, tmp_path: Path, moment: str) -> None:
    sync("scripted")
    rows = mentions(world.connection)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, moment], cwd=PROJECT_ROOT, env=dict(os.environ), stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "here\n"
    write_outputs(tmp_path)
    child.send_signal(signal.SIGKILL)
    child.wait(60)

    if moment == "before commit":
        assert {name: count for name, count in mentions(world.connection).items() if "statistics" not in name} == {
            name: count for name, count in rows.items() if "statistics" not in name
        }
    outcome = erasing.erase(world.connection, SLUG)

    assert (outcome.earlier is None) == (moment == "before commit")
    assert mentions(world.connection) == {"ops.erased_organizations": 1}
    assert not [name for name in files_naming(tmp_path) if name.startswith(("dbt/", "data_docs/zeb"))]


def test_erased_twice_at_once_it_is_erased_and_then_was(world: World) -> None:
    sync("scripted")
    outcomes: list[erasing.Erasure] = []
    waiting = threading.Event()

    def second() -> None:
        with warehouse_database.connect(autocommit=True) as connection:
            outcomes.append(erasing.erase(connection, SLUG, lambda _: waiting.set()))

    thread = threading.Thread(target=second)
    with build_lock():
        thread.start()
        assert waiting.wait(30)
        organization = erasing.find_organization(world.connection, SLUG)
        assert organization is not None
        remove_organization(world.connection, organization)
    thread.join(60)
    assert [outcome.earlier is not None for outcome in outcomes] == [True]


def as_tenant(world: World, *statements: str, database: str | None = None) -> None:
    """Run statements as the organization's own login, in another database of the server where one is named."""
    url = roles.credentials(world.connection, SLUG)
    with psycopg.connect(url, autocommit=True, **({"dbname": database} if database else {})) as tenant:
        tenant.execute("set default_transaction_read_only = off")
        for statement in statements:
            tenant.execute(statement)


def test_a_tenant_can_not_stand_in_the_way_of_its_own_erasure(world: World, superuser_of: str) -> None:
    sync("scripted")
    with psycopg.connect(superuser_of, autocommit=True) as administrator:
        # A server where nobody could forbid large objects.
        administrator.execute("grant execute on function lo_create(oid) to public")
    as_tenant(
        world,
        "alter default privileges grant all on tables to public",
        "alter default privileges grant all on functions to aiop_bi_all",
        "select lo_create(0)",
    )
    world.connection.execute("create table marts.firms (org_id int primary key)")
    world.connection.execute("insert into marts.firms values (7), (8)")
    world.connection.execute("select ops.secure_table('marts.firms')")
    ((role,),) = world.query("select role_name from ops.tenant_roles where org_id = 7")
    other = roles.credentials(world.connection, "other")

    outcome = CliRunner().invoke(app, ["erase", SLUG, "--yes"])

    assert outcome.exit_code == 0, (outcome.output, outcome.exception)
    assert world.query("select from pg_roles where rolname = %s", role) == []
    assert world.query("select from pg_largeobject_metadata") == []
    assert mentions(world.connection) == {"ops.erased_organizations": 1}
    with psycopg.connect(other) as reader:  # what the others may, they still may
        assert reader.execute("select org_id from marts.firms").fetchall() == [(8,)]
    assert world.query("select * from ops.tenancy_violations") == []


def test_what_a_login_left_in_another_database_is_named_with_the_way_out(world: World, superuser_of: str) -> None:
    sync("scripted")
    name = f"elsewhere_{os.urandom(4).hex()}"
    ((role,),) = world.query("select role_name from ops.tenant_roles where org_id = 7")
    with psycopg.connect(superuser_of, autocommit=True) as administrator:
        administrator.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            as_tenant(world, "alter default privileges grant all on tables to public", database=name)
            before = mentions(world.connection)
            with pytest.raises(DatabaseError, match=f"{role} can't be dropped: 1 object in database {name}") as refused:
                erasing.erase(world.connection, SLUG)
            assert mentions(world.connection) == before
            assert f'drop owned by "{role}"' in refused.value.hint
            with psycopg.connect(superuser_of, dbname=name, autocommit=True) as there:
                there.execute(sql.SQL("drop owned by {}").format(sql.Identifier(role)))
            erasing.erase(world.connection, SLUG)
            assert world.query("select from pg_roles where rolname = %s", role) == []
        finally:
            administrator.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def test_nobody_is_erased_by_a_slip(world: World) -> None:
    runner = CliRunner()
    refused = runner.invoke(app, ["erase", SLUG])
    assert isinstance(refused.exception, UsageError)
    assert "--yes" in refused.exception.hint
    unknown = runner.invoke(app, ["erase", "zebede", "--yes"])
    assert isinstance(unknown.exception, UsageError)
    assert "none was erased" in str(unknown.exception)
    assert len(organizations.list_organizations(world.connection)) == 2


@pytest.mark.slow
def test_a_rebuild_of_the_marts_has_the_others_only_and_what_is_disconnected_says_so(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warehouse_world(database, tmp_path, monkeypatch, "quarry_stone", "kestrel_labs", "sable_new") as made:
        made.night()
        ids = dict(made.query("select slug, id from ops.organizations"))
        kept = {key: xmin for key, xmin in made.row_versions().items() if key[0] == ids["kestrel_labs"]}

        with database_errors():
            erasing.erase(made.connection, "quarry_stone")
        assert CliRunner().invoke(app, ["disconnect", "kestrel_labs", "quickbooks"]).exit_code == 0
        assert sync("quickbooks").organizations == ["sable_new"]
        made.build()

        tables = made.query("select relation::text, tenant_column, by_uuid from ops.tenant_tables()")
        assert {"marts.mart_financial_metrics", "marts.organizations", "staging_quickbooks.invoice"} <= {
            table for table, _, _ in tables
        }
        for table, column, by_uuid in tables:
            assert not by_uuid, table
            assert made.query(f"select count(*) from {table} where {column} = %s", ids["quarry_stone"]) == [(0,)], table
        assert {key: x for key, x in made.row_versions().items() if key[0] == ids["kestrel_labs"]} == kept
        statuses = dict(made.query("select org_id, status from marts.data_freshness"))
        assert statuses == {ids["kestrel_labs"]: "disconnected", ids["sable_new"]: "ok"}
