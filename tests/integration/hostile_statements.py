"""What a hostile tenant may try with full SQL access, and how each attempt has to end.

``tenancy_world`` describes the database they are tried in.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenancy_world import OWN_ROWS

DENIED = "42501"


@dataclass(frozen=True)
class Attack:
    """Statements, in which {me}, {them}, {admin} (roles) and {database} are filled in, and how the last one ends.

    ``ends`` is a SQLSTATE, a number of rows, or None where the server may do either.
    """

    name: str
    sql: str | list[str]
    ends: str | int | None = DENIED


def table(*attacks: tuple[str | list[str], str | int | None] | str) -> list[Attack]:
    """Attacks named after what they try; a bare text must be denied."""
    listed = [(attack, DENIED) if isinstance(attack, str) else attack for attack in attacks]
    return [
        Attack("; ".join([text] if isinstance(text, str) else text)[:90].replace("\n", " "), text, ends)
        for text, ends in listed
    ]


READ = "select * from marts.ledger"

BECOME_SOMEBODY_ELSE = table(
    "set role aiop_builder",
    "set role aiop_bi_all",
    "set role {them}",
    "set role {admin}",
    ("set role pg_read_all_data", DENIED),
    (["set role aiop_bi", READ], OWN_ROWS),
    (["begin", "set local role aiop_bi", READ], OWN_ROWS),
    (["set role none", "reset role", READ], OWN_ROWS),
    "set session authorization aiop_builder",
    "set session authorization aiop_bi_all",
    "set session authorization {them}",
    (["set session authorization {me}", "reset session authorization", READ], OWN_ROWS),
    "select set_config('role', 'aiop_builder', false)",
    "select set_config('session_authorization', '{them}', false)",
    ("set is_superuser = on", "55P02"),
    "grant aiop_bi_all to {me}",
    "grant aiop_builder to {me}",
    "grant {them} to {me}",
    "grant pg_read_all_data to {me}",
    "grant aiop_bi to {me} with admin option",
    "revoke aiop_bi from {them}",
    "alter role {me} superuser",
    "alter role {me} bypassrls",
    "alter role {me} createrole",
    "alter role {me} connection limit 1000",
    ("alter role {me} rename to aiop_bi_everything", "0A000"),
    "alter role {them} password 'mine'",
    "alter role {them} set role = 'aiop_bi_all'",
    "alter role aiop_bi_all password 'mine'",
    "alter role aiop_builder password 'mine'",
    "create role mine",
    "create user mine superuser",
    "drop role {them}",
    "reassign owned by aiop_builder to {me}",
    "reassign owned by {them} to {me}",
    "drop owned by aiop_builder",
    "drop owned by aiop_bi_all",
    "drop owned by {them}",
    # Everything a member may do to its group; the grants and policies must outlive it.
    ("drop owned by aiop_bi", None),
    ("drop owned by aiop_bi cascade", None),
    ("drop owned by {me}", None),
    ("reassign owned by aiop_bi to {me}", None),
    (["set role aiop_bi", "alter role aiop_bi password 'mine'"], None),
    (["set role aiop_bi", "alter role aiop_bi login"], DENIED),
    (["set role aiop_bi", "grant aiop_bi to {them} with admin option"], DENIED),
    # Postgres 15 lets a role hand out itself: nobody gains by it.
    ("grant {me} to {them}", None),
    ("grant {me} to aiop_bi_all", None),
)

SETTINGS = table(
    (["set row_security = off", READ], DENIED),
    (["select set_config('row_security', 'off', false)", READ], DENIED),
    (["set app.org_id = '2'", "set app.current_tenant = 'zan'", READ], OWN_ROWS),
    (["set search_path = ops, staging_quickbooks, pg_temp", READ], OWN_ROWS),
    (["set search_path = pg_temp, marts", "select * from ledger"], OWN_ROWS),
    "set session_replication_role = replica",
    "set lo_compat_privileges = on",
    "set allow_system_table_mods = on",
    "set log_statement = 'all'",
    # What fills the disk of all: temporary files without end, and a log of every error and message.
    "set temp_file_limit = -1",
    "set log_min_messages = 'debug5'",
    "alter role {me} set temp_file_limit = -1",
    "alter role {me} reset temp_file_limit",
    "alter role {me} reset log_min_messages",
    (["alter role {me} reset all", "show temp_file_limit"], 1),
    "set session_preload_libraries = 'mine'",
    ("load 'mine'", None),
    (["set transform_null_equals = on", READ], OWN_ROWS),
    (["set plan_cache_mode = force_generic_plan", READ], OWN_ROWS),
    (
        [
            "set parallel_setup_cost = 0",
            "set parallel_tuple_cost = 0",
            "set min_parallel_table_scan_size = 0",
            "set max_parallel_workers_per_gather = 4",
            "select set_config(name, 'on', false) from pg_settings"
            " where name in ('debug_parallel_query', 'force_parallel_mode')",
            READ,
        ],
        OWN_ROWS,
    ),
    (["set enable_seqscan = off", "set enable_indexscan = off", "set enable_bitmapscan = off", READ], OWN_ROWS),
    (["set statement_timeout = 0", "set idle_in_transaction_session_timeout = 0", READ], OWN_ROWS),
    (["discard all", "reset all", READ], OWN_ROWS),
    ("alter system set row_security = off", DENIED),
    ("alter database {database} set row_security = off", DENIED),
    (["alter role {me} set row_security = on", "alter role {me} reset all"], None),
    ("alter role {me} in database {database} set app.org_id = '2'", None),
)

READ_OTHERS = table(
    (READ, OWN_ROWS),
    ("table marts.ledger", OWN_ROWS),
    ("select * from only marts.ledger", OWN_ROWS),
    ("select * from marts.ledger_view", OWN_ROWS),
    ("select * from marts.ledger where org_id = 2", 0),
    ("select * from marts.ledger where org_id <> 1 or true", OWN_ROWS),
    ("select ledger from marts.ledger", OWN_ROWS),
    ("select to_jsonb(l) from marts.ledger as l", OWN_ROWS),
    ("select count(*), min(cents), max(cents), string_agg(customer, ',') from marts.ledger", 1),
    ("select (select customer from marts.ledger where org_id = 2 limit 1)", 1),
    ("select 1 where exists (select from marts.ledger where customer like 'Zan%')", 0),
    (
        "select l.* from generate_series(1, 9) as o, lateral (select * from marts.ledger where org_id = o) as l",
        OWN_ROWS,
    ),
    ("with recursive r as (select * from marts.ledger union select * from marts.ledger) select * from r", OWN_ROWS),
    ("select * from marts.ledger union all select * from marts.ledger where org_id = 2", OWN_ROWS),
    ("select * from marts.ledger tablesample bernoulli (100)", OWN_ROWS),
    ("select * from marts.ledger tablesample system (100)", OWN_ROWS),
    (
        "select * from marts.ledger"
        " where ctid = any (array(select ('(0,' || n || ')')::tid from generate_series(1, 99) as n))",
        OWN_ROWS,
    ),
    ("select * from objects.part", OWN_ROWS),
    ("select * from objects.part_2", 0),
    ("select * from marts.organizations", 1),
    ("select * from benchmarks.peers", 1),
    ("select * from marts.ledger for update", DENIED),
    ("select * from marts.ledger for key share", DENIED),
    (["prepare p as select * from marts.ledger", "set role aiop_bi", "execute p"], OWN_ROWS),
    (["begin", "declare c cursor with hold for select * from marts.ledger", "commit", "fetch all c"], OWN_ROWS),
    (
        ["begin", "set role aiop_bi", "declare c scroll cursor for table marts.ledger", "reset role", "fetch all c"],
        OWN_ROWS,
    ),
    ("copy marts.ledger to stdout", OWN_ROWS),
    ("copy (select * from marts.ledger) to stdout (format csv)", OWN_ROWS),
    "copy marts.ledger to '/tmp/mine'",
    "copy marts.ledger to program 'cat'",
    "copy marts.ledger from stdin",
    "copy marts.ledger from program 'echo'",
    "copy ops.connections to stdout",
    "copy (select * from staging_quickbooks.invoice) to stdout",
)

# Errors and side effects of functions and casts show what they were called with: others' rows must not reach them.
LEAK_BY_EVALUATION = table(
    ("select * from marts.ledger where 1 / (cents - 4815162342) is not null", OWN_ROWS),
    ("select * from marts.ledger where case when customer like 'Own%' then true else customer::int > 0 end", OWN_ROWS),
    ("select * from marts.ledger where customer like 'Own%' or customer::date > '2020-01-01'", OWN_ROWS),
    ("select * from marts.ledger where customer like 'Own%' or customer::jsonb is not null", OWN_ROWS),
    ("select * from marts.ledger where customer like 'Own%' or customer::regclass is not null", OWN_ROWS),
    (
        [
            "select * from marts.ledger_view where set_config("
            "'my.secret', coalesce(current_setting('my.secret', true), '') || customer, false) is not null",
            "select current_setting('my.secret')",
        ],
        1,
    ),
    (["listen l", "select pg_notify('l', customer) from marts.ledger", "select 1"], 1),
    ("select * from marts.ledger group by id having string_agg(customer, '') like 'Own%'", OWN_ROWS),
    (
        "do $$ declare r record; begin for r in select * from marts.ledger loop raise notice '%', r; end loop; end $$",
        0,
    ),
    ("do $$ begin execute 'set role aiop_builder'; end $$", DENIED),
    ("do $$ begin perform * from ops.tenant_roles; end $$", DENIED),
    (
        "do $$ begin set local row_security = off; perform count(*) from marts.ledger; end $$",
        DENIED,
    ),
    ("select query_to_xml('select * from marts.ledger', true, false, '')", None),
    ("select table_to_xml('marts.ledger', true, false, '')", None),
    ("select schema_to_xml('marts', true, false, '')", None),
    ("select database_to_xml(true, false, '')", None),
    ("select * from ts_stat('select to_tsvector(customer) from marts.ledger')", None),
    ("select customer::int from marts.ledger where org_id = 2", 0),
    ("insert into marts.ledger (org_id, customer, cents, day) values (2, 'Own 1', 1, now())", DENIED),
)

WRITE = table(
    "insert into marts.ledger (org_id, customer, cents, day) values (1, 'x', 1, now())",
    "update marts.ledger set cents = 0",
    "update marts.ledger_view set cents = 0",
    "delete from marts.ledger",
    "merge into marts.ledger as l using (values (1)) as v on l.id = v.column1 when matched then delete",
    "truncate marts.ledger",
    "insert into objects.part_2 values (2, 'x')",
    (["begin", "lock table marts.ledger in access exclusive mode"], DENIED),
    (["begin", "lock table marts.ledger in share mode"], DENIED),
    (["begin", "lock table marts.ledger in row exclusive mode"], DENIED),
    (["begin", "lock table ops.locks in access share mode"], DENIED),
    "select nextval('marts.ledger_id_seq')",
    "select setval('marts.ledger_id_seq', 1)",
    "create table marts.mine (a int)",
    "create table public.mine (a int)",
    "create table ops.mine (a int)",
    "create temporary table mine (a int)",
    "create temporary view mine as select * from marts.ledger",
    "create temporary sequence mine",
    "select * into temporary mine from marts.ledger",
    "create schema mine",
    "create view marts.mine as select * from marts.ledger",
    "create materialized view marts.mine as select * from marts.ledger",
    "create function marts.mine() returns int language sql as 'select 1'",
    ("create function pg_temp.mine(text) returns bool language sql cost 0.001 as 'select true'", DENIED),
    ("create function public.mine(text) returns bool language plpgsql as 'begin return true; end'", DENIED),
    "create or replace function ops.session_org_ids() returns int[] language sql as 'select array[2]'",
    "create type marts.mine as (a int)",
    "create domain public.mine as int",
    "create operator marts.=== (leftarg = text, rightarg = text, function = texteq)",
    ("create extension hstore", None),
    "create publication mine for table marts.ledger",
    "create subscription mine connection 'host=127.0.0.1' publication mine",
    "create foreign data wrapper mine",
    "create event trigger mine on ddl_command_end execute function suppress_redundant_updates_trigger()",
    "create trigger mine before update on marts.ledger execute function suppress_redundant_updates_trigger()",
    "create rule mine as on select to marts.ledger do instead select 1",
    "create policy mine on marts.ledger using (true)",
    "alter policy tenant on marts.ledger using (true)",
    "drop policy tenant on marts.ledger",
    "alter table marts.ledger disable row level security",
    "alter table marts.ledger owner to {me}",
    "alter table marts.ledger alter customer set statistics 100",
    "alter view marts.ledger_view reset (security_invoker)",
    "create index on marts.ledger (customer)",
    "create statistics marts.mine (ndistinct) on org_id, customer from marts.ledger",
    "drop table marts.ledger",
    "comment on table marts.ledger is 'mine'",
    "cluster marts.ledger using ledger_pkey",
    "reindex table marts.ledger",
    "create database mine",
    "drop database {database}",
    "create tablespace mine location '/tmp'",
    "create language plmine handler plpgsql_call_handler",
    ("analyze marts.ledger", None),
    ("vacuum marts.ledger", None),
    ("grant select on marts.ledger to public", None),
    ("grant usage on schema marts to public", None),
    ("revoke select on marts.ledger from aiop_bi", None),
    ("revoke usage on schema marts from aiop_bi", None),
    ("revoke connect on database {database} from aiop_bi", None),
    ("alter default privileges for role aiop_builder grant all on tables to public", DENIED),
    ("alter default privileges grant all on tables to public", None),
    ("alter default privileges for role aiop_bi grant all on tables to public", None),
)

READ_WHAT_IS_INTERNAL = table(
    "select * from ops.organizations",
    "select * from ops.tenant_roles",
    "select * from ops.connections",
    "select * from ops.oauth_tokens",
    "select * from ops.role_secrets",
    "select * from ops.sync_runs",
    "select * from ops.tenancy_violations",
    "select ops.session_org_ids()",
    "select ops.secure_table('marts.ledger', open_to_all => true)",
    "select ops.secure_database()",
    "select * from staging_quickbooks.invoice",
    "select * from ops.locks for update",
    "select 'ops.tenant_roles'::regclass",
    "select * from pg_authid",
    "select * from pg_shadow",
    "select * from pg_statistic",
    "select * from pg_statistic_ext_data",
    "select * from pg_largeobject",
    "select * from pg_user_mapping",
    ("select * from pg_roles", None),
    ("select * from pg_auth_members", None),
    ("select * from pg_db_role_setting", None),
    ("select * from pg_shdescription", None),
    ("select * from pg_database", None),
    ("select * from pg_stats where schemaname in ('marts', 'objects')", 0),
    ("select * from pg_stats_ext", 0),
    ("select * from pg_stat_activity", None),
    ("select * from pg_stat_get_activity(null)", None),
    ("select * from pg_prepared_statements", None),
    ("select * from pg_cursors", None),
    ("select * from pg_locks", None),
    ("select * from pg_settings", None),
    ("select * from pg_stat_user_tables", None),
    ("select * from pg_constraint", None),
    ("select pg_get_expr(adbin, adrelid) from pg_attrdef", None),
    ("select pg_get_expr(relpartbound, oid) from pg_class", None),
    ("select * from pg_policies", None),
    ("select * from pg_proc where pronamespace <> 'pg_catalog'::regnamespace", None),
    ("select 1 from pg_sequences where last_value is not null", 0),
    "select last_value from marts.ledger_id_seq",
    ("select * from information_schema.columns", None),
    "select * from pg_file_settings",
    "select * from pg_hba_file_rules",
    "select pg_read_file('PG_VERSION')",
    "select pg_read_binary_file('PG_VERSION')",
    "select pg_ls_dir('.')",
    "select pg_stat_file('PG_VERSION')",
    "select pg_ls_logdir()",
    "select pg_current_logfile()",
    "show data_directory",
    "show hba_file",
    "select lo_get(4815)",
    "select lo_open(4815, 131072)",
    "select lo_export(4815, '/tmp/mine')",
)

HARM = table(
    "select lo_create(0)",
    "select lo_creat(-1)",
    "select lo_from_bytea(0, 'x')",
    "select lo_import('/etc/hostname')",
    "select pg_advisory_lock(1)",
    "select pg_try_advisory_lock_shared(1, 1)",
    "select pg_advisory_xact_lock(1)",
    "select pg_logical_emit_message(false, 'x', 'y')",
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = '{them}'",
    "select pg_cancel_backend(pid) from pg_stat_activity where usename = '{them}'",
    "select pg_reload_conf()",
    "select pg_switch_wal()",
    "select pg_stat_reset()",
    "select pg_create_restore_point('x')",
    "select pg_export_snapshot()",
    "select pg_current_xact_id()",
    "select txid_current()",
    "select pg_create_physical_replication_slot('x')",
    "select pg_log_backend_memory_contexts(pg_backend_pid())",
    "select pg_import_system_collations('pg_catalog')",
    "checkpoint",
)

ATTACKS = [
    *BECOME_SOMEBODY_ELSE, *SETTINGS, *READ_OTHERS, *LEAK_BY_EVALUATION, *WRITE, *READ_WHAT_IS_INTERNAL, *HARM
]  # fmt: skip
