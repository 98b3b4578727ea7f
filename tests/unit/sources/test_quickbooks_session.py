"""A whole company read over a real socket, with everything on the way that goes wrong on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from fault_server import FaultServer, SeenRequest, Step, answer, cut_off, reset
from quickbooks_fake import SETTINGS, FakeBooks, Respond, open_fake
from report_fake import Line, report

from orchestration.errors import ConfigurationError, PermanentError, SourceError
from orchestration.sources import SOURCES, connection_models
from orchestration.sources.core.auth import MemoryTokenStore, fingerprint
from orchestration.sources.core.records import OAuthTokens, Stream
from orchestration.sources.quickbooks.session import Company
from orchestration.sources.quickbooks.source import QUICKBOOKS
from orchestration.sources.quickbooks.streams import STREAMS

TOKENS = {"access_token": "access-1", "refresh_token": "rotated-1", "expires_in": 3600, "token_type": "bearer"}
PAGE = {"QueryResponse": {"CompanyInfo": [{"Id": "1", "CompanyName": "Bennett"}]}, "time": "2026-03-01T04:00:00-08:00"}
COMPANY_INFO = QUICKBOOKS.stream("company_info")


def settings(server: FaultServer) -> dict[str, Any]:
    return {**SETTINGS, "base_url": server.url, "token_url": f"{server.url}/oauth2/v1/tokens/bearer"}


def open_real(server: FaultServer, store: MemoryTokenStore | None = None) -> Any:
    return QUICKBOOKS.open(
        settings(server), organization="bennett", timezone="America/Chicago", token_store=store or MemoryTokenStore()
    )


def expired() -> Step:
    error = {"message": "message=AuthenticationFailed; errorCode=003200; statusCode=401", "code": "003200"}
    return answer({"fault": {"error": [error], "type": "AUTHENTICATION"}}, 401)


def paths(seen: list[SeenRequest]) -> list[str]:
    return [request.path for request in seen]


def test_the_registry_knows_quickbooks_and_its_sixteen_streams() -> None:
    assert SOURCES["quickbooks"] is QUICKBOOKS
    assert connection_models()["quickbooks"] is QUICKBOOKS.connection_model
    assert len({stream.name for stream in QUICKBOOKS.streams}) == 16


def test_a_read_asks_as_intuit_documents_it(fault_server: FaultServer) -> None:
    fault_server.plays(answer(TOKENS), answer(PAGE))
    with open_real(fault_server) as session:
        (record,) = session.read(COMPANY_INFO, None, None).records
        assert session.stats.requests == 2
    token, query = fault_server.seen
    assert (token.method, token.path) == ("POST", "/oauth2/v1/tokens/bearer")
    assert token.body == "grant_type=refresh_token&refresh_token=seed-token-0"
    assert token.headers["authorization"].startswith("Basic ")
    assert (query.method, query.path) == ("GET", "/v3/company/9130/query")
    assert query.query == {"query": ["SELECT * FROM CompanyInfo"], "minorversion": ["75"]}
    assert query.headers["accept"] == "application/json"
    assert query.headers["authorization"] == "Bearer access-1"
    assert record.record_id == "1"
    assert record.payload == PAGE["QueryResponse"]["CompanyInfo"][0]  # type: ignore[index]


def test_opening_a_company_asks_for_nothing(fault_server: FaultServer) -> None:
    with open_real(fault_server):
        pass
    assert fault_server.seen == []


def test_everything_on_the_way_may_fail_once(fault_server: FaultServer) -> None:
    fault_server.plays(
        reset,
        answer(TOKENS),
        answer({}, 503),
        reset,
        answer({}, 429, {"Retry-After": "3"}),
        cut_off(b'{"QueryResponse": {}}'),
        answer(PAGE),
    )
    with open_real(fault_server) as session:
        assert len(list(session.read(COMPANY_INFO, None, None).records)) == 1
        assert session.stats.retries == 5
        assert session.stats.waited_seconds >= 3.0


def test_a_token_that_expires_in_the_middle_is_renewed_once(fault_server: FaultServer) -> None:
    store = MemoryTokenStore()
    fault_server.plays(
        answer(TOKENS),
        expired(),
        answer({**TOKENS, "access_token": "access-2", "refresh_token": "rotated-2"}),
        answer(PAGE),
    )
    with open_real(fault_server, store) as session:
        assert len(list(session.read(COMPANY_INFO, None, None).records)) == 1
    assert fault_server.seen[2].body == "grant_type=refresh_token&refresh_token=rotated-1"
    assert fault_server.seen[3].headers["authorization"] == "Bearer access-2"
    assert store.tokens is not None
    assert store.tokens.refresh_token == "rotated-2"


def test_tokens_that_are_never_accepted_end_after_one_renewal(fault_server: FaultServer) -> None:
    fault_server.plays(answer(TOKENS), expired(), answer(TOKENS), expired())
    with open_real(fault_server) as session, pytest.raises(ConfigurationError, match="credentials are refused"):
        session.read(COMPANY_INFO, None, None)
    assert len(fault_server.seen) == 4


def test_a_revoked_connection_ends_every_stream_after_one_question(fault_server: FaultServer) -> None:
    fault_server.plays(
        answer({"error": "invalid_grant", "error_description": "Incorrect or invalid refresh token"}, 400)
    )
    store = MemoryTokenStore()
    for _ in range(2):
        with open_real(fault_server, store) as session:
            for stream in STREAMS:
                with pytest.raises(ConfigurationError, match=f"bennett / quickbooks / {stream.name}: the connection"):
                    list(session.read(stream, None, None).records)
    assert len(fault_server.seen) == 1


def test_settings_that_do_not_resolve_name_the_organization_and_no_value(fault_server: FaultServer) -> None:
    broken = {**settings(fault_server), "base_url": "ftp://somewhere", "refresh_token": " ", "client_secret": "hush"}
    with pytest.raises(ConfigurationError) as caught:
        with QUICKBOOKS.open(broken, organization="bennett", timezone="UTC", token_store=None):
            pass
    assert str(caught.value).startswith("bennett / quickbooks: connection settings are not usable")
    assert "base_url" in caught.value.message
    assert "refresh_token: " in caught.value.message
    assert "somewhere" not in str(caught.value)
    assert "hush" not in str(caught.value)


def test_the_end_of_the_authorization_is_announced_a_month_before() -> None:
    def warnings(days: int) -> list[str]:
        now = datetime.now(UTC)
        tokens = OAuthTokens(
            "refresh",
            fingerprint("seed-token-0"),
            "access",
            now + timedelta(hours=1),
            refresh_expires_at=now + timedelta(days=days, hours=1),
        )
        company = open_fake(FakeBooks())
        company.auth.store.tokens = tokens  # type: ignore[attr-defined]
        return company.read(COMPANY_INFO, None, None).notes

    assert warnings(100) == []
    assert "the authorization ends on" in warnings(29)[0]


def test_settings_are_asked_for_once_in_a_session() -> None:
    books = FakeBooks(reports=lambda name, params: report(name, [Line("Income", group="Income")], params))
    company = open_fake(books)
    for stream in STREAMS:
        list(company.read(stream, None, None).records)
    assert [statement for statement in books.statements if "CompanyInfo" in statement] == ["SELECT * FROM CompanyInfo"]
    assert len([statement for statement in books.statements if "Preferences" in statement]) == 1


def test_a_company_without_company_info_is_still_read() -> None:
    books = FakeBooks(reports=lambda name, params: report(name, [], params))
    books.add("Invoice")

    def refuse(_fake: FakeBooks, _request: httpx2.Request, params: dict[str, str]) -> httpx2.Response | None:
        refused = any(name in params.get("query", "") for name in ("CompanyInfo", "Preferences"))
        return httpx2.Response(400, json={"Fault": {"Error": [{"Message": "No", "code": "4000"}]}}) if refused else None

    books.before.append(refuse)
    company = open_fake(books)
    assert len(list(company.read(QUICKBOOKS.stream("invoice"), None, None).records)) == 1
    assert list(company.read(QUICKBOOKS.stream("cash_flow"), None, None).records)
    with pytest.raises(PermanentError):
        list(company.read(COMPANY_INFO, None, None).records)


def _refusing(status: int, code: str, *parts: str) -> Respond:
    """Refuses requests whose address or parameters have one of ``parts``; all of them without any."""
    body = {"Fault": {"Error": [{"Message": "No", "code": code}], "type": "ValidationFault"}}

    def refuse(_fake: FakeBooks, request: httpx2.Request, params: dict[str, str]) -> httpx2.Response | None:
        asked = f"{request.url.path} {params.get('query', '')}"
        refused = not parts or any(part in asked for part in parts)
        return httpx2.Response(status, json=body) if refused else None

    return refuse


def _records(company: Company, stream: str, state: dict[str, Any] | None = None) -> int:
    return len(list(company.read(QUICKBOOKS.stream(stream), state, None).records))


def test_what_may_not_be_read_fails_by_itself_and_the_other_streams_are_read() -> None:
    books = FakeBooks(reports=lambda name, params: report(name, [Line("Income", group="Income")], params))
    for entity in ("Invoice", "Bill"):
        books.add(entity)
    since = {"changed_since": books.now.isoformat()}
    books.before.append(_refusing(400, "5020", "CompanyInfo", "Preferences", "/cdc", "FROM Bill ", "CashFlow"))
    company = open_fake(books)
    for stream in ("company_info", "preferences", "bill", "cash_flow"):
        for state in (None, since):
            with pytest.raises(PermanentError, match="does not let this be read") as caught:
                _records(company, stream, state)
            assert (caught.value.kind, caught.value.stream) == ("configuration", stream)
    assert _records(company, "profit_and_loss") > 0
    # Changes are refused for one of the entities: the others are read in full, and none of them passes for unchanged.
    assert _records(company, "invoice", since) == 1


@pytest.mark.parametrize(("status", "code"), [(400, "7001"), (403, "3100")])
@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_a_company_that_is_not_served_is_said_to_be_so_by_whichever_stream_asks(
    stream: Stream, status: int, code: str
) -> None:
    company = open_fake(FakeBooks(before=[_refusing(status, code)]))
    for state in (None, {"changed_since": "2026-02-28T00:00:00+00:00"}):
        with pytest.raises(ConfigurationError, match=f"code {code}"):
            list(company.read(stream, state, None).records)


def test_an_outage_that_names_a_code_of_access_is_survived() -> None:
    books = FakeBooks()
    books.add("Invoice")
    outage, passing = _refusing(500, "3100"), iter([True, False, True])
    books.before.append(lambda *asked: outage(*asked) if next(passing, False) else None)
    assert _records(open_fake(books), "invoice") == 1


def test_a_stream_of_another_source_is_refused() -> None:
    with pytest.raises(PermanentError, match="deals is not a stream of QuickBooks"):
        open_fake(FakeBooks()).read(Stream("deals", "Deals"), None, None)


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_no_stream_turns_an_error_into_nothing(stream: Stream) -> None:
    books = FakeBooks(before=[lambda *_: httpx2.Response(500, text="down")])
    company = open_fake(books)
    with pytest.raises(SourceError) as caught:
        list(company.read(stream, None, None).records)
    assert caught.value.kind == "transient"
    assert (caught.value.organization, caught.value.source, caught.value.stream) == (
        "bennett",
        "quickbooks",
        stream.name,
    )
