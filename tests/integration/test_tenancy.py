"""A tenant with every statement SQL has: it reads its own rows and no others, and changes nothing for anybody."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import psycopg
import pytest
from hostile_statements import ATTACKS, DENIED, READ, Attack
from psycopg import sql
from servers import DEBIAN, EMBEDDED, on_debian_too
from tenancy_world import CANARY, OTHER_ROWS, OWN_ROWS, TEMPLATE, UNHARMED, World, make_world, tell

from orchestration.warehouse.embedded import EmbeddedPostgres
from orchestration.warehouse.embedded_bootstrap import create_database

# All tests of a server share one database, so one worker runs them.
WORLDS = [
    pytest.param(EMBEDDED, marks=pytest.mark.xdist_group("tenancy-embedded18")),
    pytest.param(DEBIAN, marks=[*on_debian_too, pytest.mark.xdist_group(f"tenancy-{DEBIAN}")]),
]


@pytest.fixture(scope="module", params=WORLDS)
def world(request: pytest.FixtureRequest, postgres_server: Callable[[str], EmbeddedPostgres]) -> Iterator[World]:
    """One database for all attacks of a server: each must leave it as it was."""
    server = postgres_server(request.param)
    name = f"test_{uuid.uuid4().hex[:16]}"
    with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as administrator:
        create_database(administrator, name, template=TEMPLATE)
        try:
            with make_world(server.builder_url(name), server.superuser_url(name)) as made:
                yield made
        finally:
            administrator.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_a_tenant_sees_no_other_and_harms_none(world: World, attack: Attack) -> None:
    database = world.builder.rsplit("/", 1)[1]
    admin = psycopg.conninfo.conninfo_to_dict(world.superuser)["user"]
    statements = [attack.sql] if isinstance(attack.sql, str) else attack.sql
    filled = [
        statement.replace("{me}", world.me)
        .replace("{them}", world.them)
        .replace("{admin}", str(admin))
        .replace("{database}", database)
        for statement in statements
    ]

    answer = tell(world.own, filled)

    leaked = [words for words in answer.words if CANARY.search(words) and words not in filled]
    assert not leaked
    if isinstance(attack.ends, str):
        assert answer.sqlstate == attack.ends, answer.words
    elif attack.ends is not None:
        assert (answer.sqlstate, len(answer.rows)) == (None, attack.ends), answer.words
    assert world.state() == UNHARMED


@pytest.mark.parametrize(
    "options",
    [
        "-c role=aiop_bi_all",
        "-c role=aiop_builder",
        "-c session_authorization=aiop_builder",
        "-c row_security=off",
        "-c search_path=ops",
        "-c app.org_id=2",
    ],
)
def test_options_of_the_connection_open_nothing(world: World, options: str) -> None:
    try:
        answer = tell(world.own, [READ], options=options)
    except psycopg.OperationalError as refused:
        assert "permission denied" in str(refused)  # noqa: PT017
        return
    assert not [words for words in answer.words if CANARY.search(words)]
    assert (answer.sqlstate, len(answer.rows)) in {(None, OWN_ROWS), (DENIED, 0)}


def test_a_tenant_reaches_only_the_warehouse_it_belongs_to(world: World) -> None:
    for database in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(world.own.rsplit("/", 1)[0] + f"/{database}")


def test_whoever_may_see_all_organizations_sees_them_and_writes_nothing(world: World) -> None:
    with psycopg.connect(world.superuser, autocommit=True) as connection:
        connection.execute("set session authorization aiop_bi_all")
        counts = connection.execute(
            "select org_id, count(*) from marts.ledger group by org_id order by org_id"
        ).fetchall()
        assert counts == [(1, OWN_ROWS), (2, OTHER_ROWS)]
        for statement in (
            "delete from marts.ledger",
            "select * from ops.connections",
            "create table marts.mine (a int)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_a_role_that_belongs_to_no_organization_sees_open_tables_only(world: World) -> None:
    with psycopg.connect(world.superuser, autocommit=True) as connection:
        stranger = f"aiop_t_{uuid.uuid4().hex[:12]}"
        connection.execute(f"create role {stranger}; grant aiop_bi to {stranger}; set session authorization {stranger}")
        assert connection.execute(READ).fetchall() == []
        assert len(connection.execute("select * from benchmarks.peers").fetchall()) == 1
        connection.execute(f"reset session authorization; drop role {stranger}")


def test_the_builders_tripwire_fails_instead_of_seeing_less(world: World) -> None:
    """Were row-level security forced upon the owner by mistake, its statements fail: no model builds on fewer rows."""
    with psycopg.connect(world.builder) as connection:
        connection.execute("set row_security = off")
        connection.execute("alter table marts.ledger force row level security")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute(READ)
        connection.rollback()
