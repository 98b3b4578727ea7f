-- What reads of the same days brought, night by night: a source that returns nothing where it returned rows is found
-- also where nothing of it lands as a change.

alter table ops.sync_runs add column reread_days int, add column reread_rows bigint;
comment on column ops.sync_runs.reread_days is
    'So many days, up to the last one, were asked for whole, whatever changed: such runs compare with one another. Null: none.';
comment on column ops.sync_runs.reread_rows is 'Rows received of those days.';
create index sync_runs_rereading on ops.sync_runs (source, started_at) where reread_days > 0;

create table ops.quality_reads (
    org_id int not null,
    source text not null,
    stream text not null,
    run_id bigint not null,
    run_started_at timestamptz not null,
    received bigint not null,
    days int not null,
    good jsonb not null,
    checked_at timestamptz not null default now(),
    primary key (org_id, source, stream)
);
comment on table ops.quality_reads is 'What the days that are read again every night brought: the last run looked at, and the nights before it.';
comment on column ops.quality_reads.run_id is 'The last such run looked at (ops.sync_runs).';
comment on column ops.quality_reads.received is 'Rows that it received of those days.';
comment on column ops.quality_reads.good is 'Rows a day by date (UTC) of the last seven dates with a believable read: what the next one is compared with.';

comment on column ops.quality_results.unexpected_count is 'Records that break it; for the counts of rows, rows that are missing.';
comment on column ops.quality_results.observed is 'Live records; for reads of the same days, rows that came.';
