"""What lands of an account: everybody once, every call once, and days that are known to have been read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from zoom_account import ZoomAccount

from orchestration.demo.serving.faults import Fault
from orchestration.demo.world import World
from orchestration.demo.zoom import answers
from orchestration.errors import PermanentError
from orchestration.sources.zoom import paging
from orchestration.sources.zoom.faults import PageExpired
from orchestration.sources.zoom.source import ZOOM


def test_users_of_every_status_are_asked_for_and_those_without_an_id_have_a_key(zoom: ZoomAccount) -> None:
    zoom.add_person("a")
    zoom.add_person("b", left=datetime(2026, 2, 1, tzinfo=UTC))
    zoom.add_person("C", activated=None)
    read = zoom.read("users")
    assert {key: row["status"] for key, row in read.payloads.items()} == {
        "a": "active",
        "b": "inactive",
        "pending/c@example.com": "pending",
    }
    assert "id" not in read.payloads["pending/c@example.com"]
    assert read.extract.mode == "full"
    assert [asked["status"] for asked in zoom.asked("/v2/users")] == ["active", "inactive", "pending"]


def test_a_user_that_names_no_status_has_the_one_that_was_asked_for(zoom: ZoomAccount) -> None:
    zoom.quirks.raw["users"] = ['{"id":"a"}', '{"id":"b","status":"odd"}', "7"]
    read = zoom.read("users")
    assert {key: row["status"] for key, row in read.payloads.items()} == {"a": "active", "b": "odd"}
    assert read.notes == ["list of active users: 1 members of the list are no objects and were left out"]


@pytest.mark.parametrize("arrays", ["both", "call_history", "call_logs"])
@pytest.mark.parametrize("past_end", ["none", "empty", "same"])
def test_calls_are_read_once_whichever_lists_an_answer_has_and_whatever_its_last_token(
    zoom: ZoomAccount, arrays: str, past_end: str
) -> None:
    made = zoom.add_calls(*(f"2026-11-1{number % 10}T12:00:{number % 60:02d}+00:00" for number in range(301)))
    zoom.quirks.arrays, zoom.quirks.past_end = arrays, past_end
    read = zoom.read("call_history")
    assert sorted(read.keys) == made
    assert {row["call_id"] for row in read.payloads.values()} == {f"call{number}" for number in range(301)}


@pytest.mark.parametrize("past_end", ["none", "empty"])
def test_a_list_that_counts_nothing_ends_with_an_empty_page(zoom: ZoomAccount, past_end: str) -> None:
    made = zoom.add_calls(*(f"2026-11-10T12:00:{number % 60:02d}+00:00" for number in range(301)))
    zoom.quirks.counts, zoom.quirks.past_end = False, past_end
    assert sorted(zoom.read("call_history").keys) == made


@pytest.mark.parametrize("past_end", ["none", "empty", "same"])
@pytest.mark.parametrize("number", [300, 301, 600])
def test_a_total_of_one_answer_ends_no_list_that_counts_more_pages(
    zoom: ZoomAccount, number: int, past_end: str
) -> None:
    made = zoom.add_calls(*(f"2026-11-10T12:{one // 60:02d}:{one % 60:02d}+00:00" for one in range(number)))
    zoom.quirks.counts_of_page, zoom.quirks.past_end = True, past_end
    read = zoom.read("call_history")
    assert sorted(set(read.keys)) == made
    said = f"calls from 2026-10-16 to 2026-11-15: Zoom counts {number % 300 or 300} and gave {number}"
    assert read.notes == ([said] if number > 300 else [])


def test_a_token_that_leads_to_itself_when_all_has_come_is_the_end(zoom: ZoomAccount) -> None:
    """Pages counted by another size than the one asked for: after the last there are more to come, by that count."""
    rows = ",".join(f'{{"call_history_uuid":"{number}"}}' for number in range(300))
    body = f'{{"call_history":[{rows}],"total_records":300,"page_count":10,"next_page_token":"again"}}'
    with zoom.session() as session:
        fault = Fault("body", path="/phone/call_history", contains="2026-11-15 2026", status=200, body=body, count=2)
        zoom.server.service.faults.add(fault)
        extract = session.read(ZOOM.stream("call_history"), None, None)
        assert {record.record_id for record in extract.records} == {str(number) for number in range(300)}


def test_a_list_that_gives_less_than_it_counts_says_so(zoom: ZoomAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    zoom.add_calls("2026-11-18T12:00:00+00:00")
    body = (
        '{"call_history":[{"call_history_uuid":"1"}],"call_logs":[],"total_records":9,"page_count":1,'
        '"next_page_token":""}'
    )
    with zoom.session() as session:
        zoom.server.service.faults.add(
            Fault("body", path="/phone/call_history", contains="2026-11-15 2026", status=200, body=body)
        )
        extract = session.read(ZOOM.stream("call_history"), None, None)
        assert [record.record_id for record in extract.records] == ["1"]
    assert extract.notes == ["calls from 2026-11-15 to 2026-11-20: Zoom counts 9 and gave 1"]


def test_the_same_token_again_is_refused_within_two_pages(zoom: ZoomAccount) -> None:
    zoom.add_person("a")
    zoom.quirks.repeats = {"users"}
    with pytest.raises(PermanentError, match="repeats a page"):
        zoom.read("users")
    assert len(zoom.asked("/v2/users")) == 2


def test_a_page_token_that_never_lives_long_enough_is_an_error(zoom: ZoomAccount) -> None:
    zoom.add_calls(*(f"2026-11-10T12:00:{number % 60:02d}+00:00" for number in range(301)))
    take = zoom.server.service.faults.take

    def later(path: str, text: str) -> object:
        zoom.server.service.accounts["blank"].ahead += timedelta(minutes=16 if "call_history" in path else 0)
        return take(path, text)

    zoom.server.service.faults.take = later  # type: ignore[method-assign, assignment]
    with pytest.raises(PageExpired):
        zoom.read("call_history")
    assert [asked.status for asked in zoom.log].count(400) == paging.RESTARTS + 1


@pytest.mark.parametrize("to_excluded", [False, True])
def test_no_day_is_lost_between_ranges_whether_zoom_counts_their_last_or_not(
    zoom: ZoomAccount, to_excluded: bool
) -> None:
    zoom.quirks.to_excluded = to_excluded
    host, noons = zoom.add_person("a"), [date(2026, 5, 21) + timedelta(number) for number in range(183)]
    made = zoom.add_calls(*(f"{day}T12:00:00+00:00" for day in noons))
    for number, day in enumerate(noons):
        zoom.add_meeting(f"{number:03d}==", host, f"{day}T12:00:00+00:00")
    calls, meetings = zoom.read("call_history"), zoom.read("meetings")
    # Each once although ranges overlap; nothing has to be told of today, the 20th, yet.
    assert calls.keys == made
    assert sorted(meetings.keys) == [f"{number:03d}==" for number in range(183)]
    asked = [(one["from"], one["to"]) for one in zoom.asked("/v2/phone/call_history")]
    assert [start for start, _ in asked[1:]] == [end for _, end in asked[:-1]]
    (evening,) = zoom.add_calls("2026-10-02T04:59:00+00:00")
    window = (date(2026, 10, 1), date(2026, 10, 1))
    assert zoom.read("call_history", window=window).keys == [made[133], evening]


def test_a_call_that_names_no_id_and_is_in_two_ranges_is_given_as_often_as_one_has_it(zoom: ZoomAccount) -> None:
    one, other = '{"start_time":"2026-06-20T12:00:00Z"}', '{"start_time":"2026-06-20T12:00:01Z"}'
    with zoom.session() as session:
        for ends, listed in (("2026-06-20", f"{one},{one}"), ("2026-07-19", f"{one},{one},{other}")):
            body = f'{{"call_history":[{listed}],"next_page_token":""}}'
            zoom.server.service.faults.add(
                Fault("body", path="/phone/call_history", contains=f"{ends} start_time", status=200, body=body)
            )
        extract = session.read(ZOOM.stream("call_history"), None, None)
        found = [str((record.payload or {})["start_time"])[-3:] for record in extract.records]
    assert found == ["00Z", "00Z", "01Z"]


@pytest.mark.parametrize("days", ["utc", "account"])
def test_late_calls_come_with_one_of_the_next_nights(zoom: ZoomAccount, days: str) -> None:
    zoom.quirks.days = days
    zoom.read("call_history")
    zoom.server.advance(1)
    # Of the evening of the 18th in Chicago; shown now.
    (late,) = zoom.add_calls("2026-11-19T03:00:00+00:00")
    read = zoom.read("call_history")
    assert read.keys == [late]
    assert zoom.states["call_history"]["covered"] == [["2026-05-22", "2026-11-21"]]
    last = zoom.asked("/v2/phone/call_history")[-1]
    assert (last["from"], last["to"], last["page_size"], last["time_type"]) == (
        "2026-11-16",
        "2026-11-21",
        "300",
        "start_time",
    )


def test_the_report_is_read_by_months_and_the_last_two_of_them_every_night(zoom: ZoomAccount) -> None:
    host = zoom.add_person("a")
    zoom.add_meeting("m==", host, "2026-11-19T15:00:00+00:00")
    read = zoom.read("daily_report")
    assert read.payloads["2026-11-19"] == {
        "date": "2026-11-19",
        "new_users": 0,
        "meetings": 1,
        "participants": 2,
        "meeting_minutes": 55,
    }
    assert [asked["month"] for asked in zoom.asked("/v2/report/daily")] == ["5", "6", "7", "8", "9", "10", "11"]
    zoom.log.clear()
    assert zoom.read("daily_report").extract.state["covered"] == [["2026-05-22", "2026-11-20"]]
    assert [asked["month"] for asked in zoom.asked("/v2/report/daily")] == ["10", "11"]


def test_a_month_that_zoom_refuses_is_said_and_not_taken_for_read(zoom: ZoomAccount) -> None:
    refusal = '{"code":300,"message":"The report of this month is not available."}'
    zoom.server.service.faults.add(Fault("body", path="/report/daily", contains=" 5", status=400, body=refusal))
    read = zoom.read("daily_report")
    assert read.extract.state["covered"] == [["2026-06-01", "2026-11-20"]]
    assert read.notes[0].startswith("2026-05 can't be had: Zoom refuses the request with 400, code 300")
    zoom.server.service.faults.add(Fault("body", path="/report/daily", contains=" 11", status=400, body=refusal))
    with pytest.raises(PermanentError, match="code 300"):
        zoom.read("daily_report")


def test_a_month_that_has_begun_elsewhere_only_is_not_missed(zoom: ZoomAccount) -> None:
    # 13:00 UTC on the 30th is the 1st in Auckland; the account is in UTC and knows of no December.
    zoom.server.service.world._world = World(base=datetime(2026, 11, 30, 13, tzinfo=UTC))
    read = zoom.read("daily_report", zone="Pacific/Auckland")
    assert "2026-11-30" in read.keys
    assert read.notes == []
    assert zoom.asked("/v2/report/daily")[-1]["month"] == "12"


@pytest.mark.parametrize("stream", ["call_history", "meetings", "participants"])
def test_where_zoom_keeps_less_than_six_months_all_that_it_keeps_is_read(zoom: ZoomAccount, stream: str) -> None:
    # 180 days before the 20th of November is the 24th of May; that of the six months would be the 21st.
    zoom.quirks.kept_days = 180
    for name in ("a", "b"):
        host = zoom.add_person(name)
        for day in (23, 24, 31):
            zoom.add_meeting(f"{name}{day}==", host, f"2026-05-{day}T12:00:00+00:00")
            zoom.add_calls(f"2026-05-{day}T12:00:00+00:00")
    first = zoom.read(stream, participants_per_run=3)
    told = {str(row["start_time" if "start_time" in row else "join_time"])[:10] for row in first.payloads.values()}
    assert told == {"2026-05-24", "2026-05-31"}
    refusal = "Zoom refuses the request with 400, code 300: Only the last six months can be asked for."
    assert first.notes[0] == f"2026-05-21 to 2026-05-23 can't be had: {refusal}"
    assert zoom.states[stream]["covered"] == [["2026-05-25", "2026-11-20"]]
    # From the next night on, the last days alone are asked for and nothing that is known to be gone.
    zoom.log.clear()
    zoom.server.advance(1)
    second = zoom.read(stream)
    assert (second.notes, zoom.states[stream]["covered"]) == ([], [["2026-05-25", "2026-11-21"]])
    assert {one.params["from"] for one in zoom.log if "from" in one.params} == {"2026-11-16"}
    # When the six months have gone by, too, there is nothing to be remembered any more.
    zoom.server.advance(5)
    zoom.read(stream)
    assert "had_since" not in zoom.states[stream]


def test_a_refusal_that_has_nothing_to_do_with_age_is_an_error(zoom: ZoomAccount) -> None:
    zoom.quirks.kept_days = 60
    with pytest.raises(PermanentError, match="Only the last six months"):
        zoom.read("call_history")
    assert len(zoom.asked("/v2/phone/call_history")) == 32
    zoom.log.clear()
    with pytest.raises(PermanentError, match="Only the last six months"):
        zoom.read("call_history", window=(date(2026, 6, 1), date(2026, 6, 10)))
    assert len(zoom.asked("/v2/phone/call_history")) == 1


def test_meetings_of_all_hosts_land_and_those_who_may_not_host_are_named(zoom: ZoomAccount) -> None:
    zoom.add_person("pending", activated=None)
    left = zoom.add_person("left", left=datetime(2026, 11, 20, 12, tzinfo=UTC))
    zoom.add_person("basic", extra={"may_not_host": True})
    zoom.add_meeting("one==", left, "2026-11-19T15:00:00+00:00")
    zoom.add_meeting("two==", zoom.add_person("a"), "2026-06-30T23:59:00+00:00")
    read = zoom.read("meetings")
    assert sorted(read.keys) == ["one==", "two=="]
    assert read.payloads["one=="]["total_minutes"] == 55
    assert read.notes == [
        "1 hosts skipped: basic (Your user account is not allowed meeting hosting and scheduling capabilities.)"
    ]


@pytest.mark.parametrize("knows_alone", [True, False])
def test_meetings_that_one_was_in_are_asked_for_too_and_said_where_that_cant_be(
    zoom: ZoomAccount, knows_alone: bool
) -> None:
    zoom.quirks.knows_alone = knows_alone
    for name in ("a", "b"):
        host = zoom.add_person(name)
        zoom.add_meeting(f"{name}1==", host, "2026-05-22T15:00:00+00:00", alone=True)
        zoom.add_meeting(f"{name}2==", host, "2026-11-19T15:00:00+00:00")
    read = zoom.read("meetings")
    assert sorted(read.keys) == (["a1==", "a2==", "b1==", "b2=="] if knows_alone else ["a2==", "b2=="])
    # A question that is not known says nothing of how far back Zoom goes.
    assert zoom.states["meetings"]["covered"] == [["2026-05-22", "2026-11-20"]]
    refusal = "Zoom refuses the request with 400, code 300: Invalid field: type."
    assert read.notes == ([] if knows_alone else [f"meetings that one person was in can't be had: {refusal}"])
    # Who was in them, Zoom tells of meetings of two and more alone.
    zoom.read("participants")
    assert len(zoom.asked("/v2/report/meetings/")) == 2


def test_a_server_that_knows_one_list_of_meetings_has_each_land_once(zoom: ZoomAccount) -> None:
    body = '{"meetings":[{"uuid":"1==","start_time":"2026-11-19T15:00:00Z"}],"next_page_token":""}'
    zoom.add_person("a")
    zoom.server.service.faults.add(
        Fault("body", path="/report/users", contains="2026-11-20", status=200, body=body, count=2)
    )
    assert zoom.read("meetings").keys == ["1=="]


def test_participants_are_asked_for_by_whatever_slashes_an_id_has_and_rejoins_are_kept(zoom: ZoomAccount) -> None:
    host = zoom.add_person("a")
    for uuid in ("/start==", "mid//dle==", "one/slash==", "100%=="):
        zoom.add_meeting(uuid, host, "2026-11-19T15:00:00+00:00")
    read = zoom.read("participants")
    by_meeting = [row["meeting_uuid"] for row in read.payloads.values()]
    assert {uuid: by_meeting.count(uuid) for uuid in by_meeting} == dict.fromkeys(
        ("/start==", "mid//dle==", "one/slash==", "100%=="), 3
    )
    assert '["/start==", "2", "2026-11-19T15:00:00Z"]' in read.keys


def test_a_meeting_that_is_gone_is_skipped_by_name(zoom: ZoomAccount) -> None:
    meeting = zoom.add_meeting("m==", zoom.add_person("a"), "2026-11-19T15:00:00+00:00")
    with zoom.session() as session:
        list(session.read(ZOOM.stream("meetings"), None, None).records)
        zoom.account.life.meetings.remove(meeting)
        extract = session.read(ZOOM.stream("participants"), None, None)
        assert list(extract.records) == []
    assert extract.notes == ["1 meetings skipped: m== (Meeting does not exist: m==.)"]


@pytest.mark.parametrize(("kind", "told"), [(5, 0), (99, 1)])
def test_a_webinar_among_the_meetings_keeps_nobody_from_the_others(
    zoom: ZoomAccount, kind: int, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One that Zoom numbers in a way nobody knows is told by its answer.
    monkeypatch.setattr(answers, "WEBINARS", {5, 99})
    host = zoom.add_person("a")
    zoom.add_meeting("m==", host, "2026-11-18T15:00:00+00:00")
    zoom.add_meeting("w==", host, "2026-11-19T15:00:00+00:00", kind=kind)
    assert zoom.read("meetings").keys == ["m==", "w=="]
    read = zoom.read("participants")
    assert {key.split('"')[1] for key in read.keys} == {"m=="}
    assert [note.partition(" (")[0] for note in read.notes] == ["1 meetings skipped: w=="] * told


@pytest.mark.parametrize("code", [3000, 3001, 12702])
def test_a_meeting_that_zoom_does_not_open_keeps_nobody_from_the_others(zoom: ZoomAccount, code: int) -> None:
    host = zoom.add_person("a")
    zoom.add_meeting("m==", host, "2026-11-18T15:00:00+00:00")
    zoom.add_meeting("old==", host, "2026-11-19T15:00:00+00:00")
    body = f'{{"code":{code},"message":"It can not be had."}}'
    zoom.server.service.faults.add(Fault("body", path="old", status=400, body=body))
    read = zoom.read("participants")
    assert {key.split('"')[1] for key in read.keys} == {"m=="}
    assert read.notes == ["1 meetings skipped: old== (It can not be had.)"]


def test_participants_beyond_a_runs_share_are_left_for_the_next_ones_newest_first(zoom: ZoomAccount) -> None:
    host = zoom.add_person("a")
    for day in range(1, 10):
        zoom.add_meeting(f"m{day}==", host, f"2026-11-0{day}T15:00:00+00:00")
    seen = []
    for left in (5, 1, 0):
        read = zoom.read("participants", participants_per_run=4)
        seen.append({row["meeting_uuid"] for row in read.payloads.values()})
        note = f"participants of {left} meetings up to 2026-11-0{left} are left for the next runs"
        assert read.notes == ([note] if left else [])
    assert seen == [{f"m{day}==" for day in days} for days in ((6, 7, 8, 9), (2, 3, 4, 5), (1,))]
    assert zoom.states["participants"]["covered"] == [["2026-05-22", "2026-11-20"]]
    assert zoom.read("participants").records == []


def test_a_window_asks_for_its_days_alone_and_leaves_the_state_as_it_is(zoom: ZoomAccount) -> None:
    inside, _, _ = zoom.add_calls("2026-10-01T05:00:00+00:00", "2026-10-01T04:59:59+00:00", "2026-10-02T05:00:00+00:00")
    assert zoom.read("call_history", window=(date(2026, 10, 1), date(2026, 10, 1))).keys == [inside]
    assert zoom.read("users", window=(date(2026, 10, 1), date(2026, 10, 1))).extract.mode == "full"


def test_a_read_says_how_many_days_it_asked_for_whatever_changed(zoom: ZoomAccount) -> None:
    # From the 21st of May to the 20th of November, and the next morning from the 16th to the 21st.
    first = {stream: zoom.read(stream).extract.reread_days for stream in ("call_history", "meetings")}
    assert first == dict.fromkeys(first, 184)
    zoom.server.advance(1)
    for stream in first:
        assert zoom.read(stream).extract.reread_days == 6
        assert zoom.read(stream, window=(date(2026, 11, 1), date(2026, 11, 9))).extract.reread_days == 0
    # The report's months: October and November up to the 21st.
    zoom.read("daily_report")
    assert zoom.read("daily_report").extract.reread_days == 31 + 21
    # As many meetings as a run may ask for are no number of days.
    assert zoom.read("participants").extract.reread_days == 0
