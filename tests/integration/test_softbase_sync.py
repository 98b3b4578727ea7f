from softbase_world import softbase
from orchestration.demo.dealer.dealership import BENNETT, LAKESIDE, small
from orchestration.sources.softbase.source import SOFTBASE
import time, collections


def test_try(postgres_server):
    with softbase(postgres_server("embedded18"), [BENNETT, LAKESIDE]) as server:
        for slug in server.tenants:
            states = {}
            for days in (0, 1, 0, 7):
                if days:
                    t = time.time()
                    server.advance(days)
                    print("advance", round(time.time() - t, 2))
                t = time.time()
                out = {}
                with SOFTBASE.open(server.connection(slug), organization=slug, timezone="America/Chicago") as session:
                    for s in SOFTBASE.streams:
                        e = session.read(s, states.get(s.name), None)
                        recs = list(e.records)
                        states[s.name] = e.state
                        out[s.name] = (
                            e.mode[0],
                            len(recs),
                            sum(r.deleted for r in recs),
                            len({r.record_id for r in recs}),
                            e.notes,
                        )
                print(slug, round(time.time() - t, 2), session.stats.requests, out)
            print(states["wo"], recs[0])
