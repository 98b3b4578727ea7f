-- Reading a window of the past again (--from, --to) says nothing of the nightly read, whose watermark it leaves: such
-- attempts are kept apart, so that a backfill can't make a night that failed look as if it had succeeded.

alter table ops.sync_runs add column is_window boolean not null default false;
comment on column ops.sync_runs.is_window is
    'A window of the past was read again (--from, --to): the watermark stayed, and no state or freshness goes by it.';

-- Of before: a success that is newer than the one its stream resumes from did not move the watermark. Which older ones
-- were windows, and which failures, is not known; nothing goes by those successes, and the next read ends the failures.
update ops.sync_runs as r
set is_window = true
where
    r.status = 'succeeded'
    and not exists (
        select from ops.watermarks as w
        where
            w.org_id = r.org_id
            and w.source = r.source
            and w.stream = r.stream
            -- Without a run the connection has moved, and which run the state was of is gone.
            and (w.run_id is null or w.run_id >= r.run_id)
    );
