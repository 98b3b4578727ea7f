"""OAuth with rotating refresh tokens: stored before used, refreshed by one, given up on when revoked."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from fault_server import FaultServer, answer
from token_files import FileTokenStore
from token_server import TokenServer

from orchestration.errors import ConfigurationError, PermanentError, TransientError
from orchestration.sources.core.auth import MemoryTokenStore, OAuthRefresh, fingerprint, inspect_token_reply
from orchestration.sources.core.http import HttpClient, Reply, Unauthorized
from orchestration.sources.core.records import OAuthTokens, TokenStore
from orchestration.sources.core.retry import RetryPolicy

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def inspect_api(reply: Reply) -> None:
    if reply.status == 401:
        raise Unauthorized("Token expired")


def oauth(
    server: TokenServer | Callable[[httpx2.Request], httpx2.Response],
    store: TokenStore,
    *,
    configured: str = "seed-token-0",
    secret: str = "client-secret",
    now: Callable[[], datetime] = lambda: NOW,
) -> OAuthRefresh:
    handle = server.handle if isinstance(server, TokenServer) else server
    client = HttpClient(
        inspect=inspect_token_reply, transport=httpx2.MockTransport(handle), policy=RetryPolicy(attempts=3)
    )
    return OAuthRefresh(
        client=client,
        token_url="http://token.test/token",
        client_id="client-id",
        client_secret=secret,
        configured=configured,
        store=store,
        lifetimes=("idle_expires_in", "hard_expires_in"),
        reconnect="connect again.",
        now=now,
    )


def api(server: TokenServer, auth: OAuthRefresh) -> HttpClient:
    return HttpClient(inspect=inspect_api, auth=auth, transport=httpx2.MockTransport(server.handle))


class Recording(MemoryTokenStore):
    """Notes in the server's list of events when tokens are stored."""

    def __init__(self, server: TokenServer, tokens: OAuthTokens | None = None) -> None:
        super().__init__(tokens)
        self._server = server

    def save(self, tokens: OAuthTokens) -> None:
        self._server.events.append(f"save {tokens.refresh_token} {tokens.access_token}")
        super().save(tokens)


def test_a_new_token_is_stored_before_it_is_used() -> None:
    server = TokenServer()
    api(server, oauth(server, Recording(server))).call("GET", "http://api.test/rows")
    assert server.events == [
        "refresh seed-token-0",
        "save rotated-token-1 access-token-1",
        "call access-token-1",
    ]


def test_a_token_that_can_not_be_stored_is_not_used() -> None:
    server = TokenServer()

    class Broken(MemoryTokenStore):
        def save(self, tokens: OAuthTokens) -> None:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        api(server, oauth(server, Broken())).call("GET", "http://api.test/rows")
    assert server.events == ["refresh seed-token-0"]


def test_a_stored_token_that_is_still_valid_is_used_without_a_refresh() -> None:
    server = TokenServer()
    store = MemoryTokenStore()
    oauth(server, store).authorization()
    assert oauth(server, store).authorization() == "Bearer access-token-1"
    assert server.refreshes == 1


def test_an_expired_token_is_refreshed_with_the_rotated_refresh_token() -> None:
    server = TokenServer()
    store = MemoryTokenStore()
    oauth(server, store).authorization()
    later = NOW + timedelta(hours=1)
    assert oauth(server, store, now=lambda: later).authorization() == "Bearer access-token-2"
    assert server.events == ["refresh seed-token-0", "refresh rotated-token-1"]


def test_a_token_near_its_end_starts_no_request() -> None:
    server = TokenServer()
    auth = oauth(server, MemoryTokenStore(), now=lambda: clock[0])
    clock = [NOW]
    auth.authorization()
    clock[0] = NOW + timedelta(minutes=57)
    assert auth.authorization() == "Bearer access-token-1"
    clock[0] = NOW + timedelta(minutes=59)
    assert auth.authorization() == "Bearer access-token-2"


def test_a_short_life_does_not_mean_a_refresh_for_every_request() -> None:
    server = TokenServer(expires_in=30)
    auth = oauth(server, MemoryTokenStore())
    assert auth.authorization() == auth.authorization()
    assert server.refreshes == 1


def test_a_token_refused_in_the_middle_is_refreshed_once_and_the_request_repeated_once() -> None:
    server = TokenServer()
    http = api(server, oauth(server, MemoryTokenStore()))
    http.call("GET", "http://api.test/rows")
    server.accepted.clear()
    assert http.call("GET", "http://api.test/rows").json == {"shown": "access-token-2"}
    assert server.events[2:] == ["call access-token-1", "refresh rotated-token-1", "call access-token-2"]


def test_a_fresh_token_that_is_refused_too_is_a_configuration_error() -> None:
    server = TokenServer()

    def refusing(request: httpx2.Request) -> httpx2.Response:
        response = server.handle(request)
        return response if request.url.path == "/token" else httpx2.Response(401)

    http = HttpClient(
        inspect=inspect_api,
        auth=oauth(server, MemoryTokenStore()),
        transport=httpx2.MockTransport(refusing),
    )
    with pytest.raises(ConfigurationError, match="credentials are refused: Token expired"):
        http.call("GET", "http://api.test/rows")
    assert server.refreshes == 2


def test_a_token_that_another_process_renewed_meanwhile_is_taken_over() -> None:
    server = TokenServer()
    store = MemoryTokenStore()
    ours, theirs = oauth(server, store), oauth(server, store)
    assert ours.authorization() == theirs.authorization()
    server.accepted.clear()
    theirs.renew("Bearer access-token-1")
    assert ours.renew("Bearer access-token-1")
    assert ours.authorization() == "Bearer access-token-2"
    assert server.refreshes == 2


def test_threads_that_need_a_token_at_once_make_one_refresh() -> None:
    server = TokenServer()
    store = MemoryTokenStore()
    start = threading.Barrier(8)
    shown: list[str] = []

    def run() -> None:
        auth = oauth(server, store)
        start.wait()
        shown.append(auth.authorization())

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shown == ["Bearer access-token-1"] * 8
    assert server.events == ["refresh seed-token-0"]


PROCESS = """
import sys
from pathlib import Path
from token_files import FileTokenStore
from orchestration.sources.core.auth import OAuthRefresh, inspect_token_reply
from orchestration.sources.core.http import HttpClient
auth = OAuthRefresh(client=HttpClient(inspect=inspect_token_reply), token_url=sys.argv[1], client_id="client-id",
                    client_secret="client-secret", configured="seed-token-0", store=FileTokenStore(Path(sys.argv[2])))
sys.stdin.readline()
print(auth.authorization())
if len(sys.argv) > 3:
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)
"""


def start_process(url: str, tokens: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-c", PROCESS, url, str(tokens), *more],
        cwd=Path(__file__).parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_processes_that_need_a_token_at_once_make_one_refresh(fault_server: FaultServer, tmp_path: Path) -> None:
    reply = {"access_token": "access-token-1", "refresh_token": "rotated-token-1", "expires_in": 3600}
    fault_server.plays(answer(reply), answer({"error": "invalid_grant"}, 400))
    processes = [start_process(fault_server.url, tmp_path / "tokens.json") for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    shown = [process.communicate(timeout=60)[0].splitlines()[-1] for process in processes]
    assert shown == ["Bearer access-token-1"] * 2
    assert len(fault_server.seen) == 1


def test_whoever_is_killed_before_using_a_token_leaves_it_to_the_next(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    reply = {"access_token": "access-token-1", "refresh_token": "rotated-token-1", "expires_in": 3600}
    fault_server.plays(answer(reply), answer({"error": "invalid_grant"}, 400))
    process = start_process(fault_server.url, tmp_path / "tokens.json", "die")
    process.communicate("\n", timeout=60)
    assert process.returncode == -9
    store = FileTokenStore(tmp_path / "tokens.json")
    assert oauth(TokenServer(), store, now=lambda: datetime.now(UTC)).authorization() == "Bearer access-token-1"
    assert store.tokens is not None
    assert store.tokens.refresh_token == "rotated-token-1"


def test_a_newly_configured_token_replaces_the_stored_line() -> None:
    server = TokenServer()
    store = MemoryTokenStore()
    oauth(server, store).authorization()
    server.valid_refresh = "seed-token-new"
    assert oauth(server, store, configured="seed-token-new").authorization() == "Bearer access-token-2"
    assert store.tokens is not None
    assert store.tokens.seed_fingerprint == fingerprint("seed-token-new")


def test_a_lost_reply_is_mended_by_the_token_before() -> None:
    server = TokenServer(valid_refresh="before")
    stored = OAuthTokens("lost", fingerprint("seed-token-0"), previous_refresh_token="before")
    store = MemoryTokenStore(stored)
    assert oauth(server, store).authorization() == "Bearer access-token-1"
    assert server.events == ["refresh lost", "refresh before"]
    assert store.tokens is not None
    assert store.tokens.refresh_token == "rotated-token-1"


def test_a_revoked_connection_is_asked_about_once_and_never_again() -> None:
    server = TokenServer(valid_refresh="something else")
    store = MemoryTokenStore()
    for _ in range(3):
        with pytest.raises(ConfigurationError, match="no longer authorized: Incorrect or invalid") as caught:
            oauth(server, store).authorization()
        assert caught.value.hint == "connect again."
    assert server.events == ["refresh seed-token-0"]


def test_a_revoked_connection_works_again_with_a_new_token() -> None:
    server = TokenServer(valid_refresh="seed-token-new")
    store = MemoryTokenStore()
    with pytest.raises(ConfigurationError):
        oauth(server, store).authorization()
    assert oauth(server, store, configured="seed-token-new").authorization() == "Bearer access-token-1"


def test_a_wrong_client_secret_does_not_count_as_revoked() -> None:
    server = TokenServer()
    store = MemoryTokenStore()
    with pytest.raises(ConfigurationError, match=r"client's id or secret \(invalid_client\)"):
        oauth(server, store, secret="wrong-secret").authorization()
    assert store.tokens is None
    assert oauth(server, store).authorization() == "Bearer access-token-1"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_token_service_in_trouble_is_asked_again_and_revokes_nothing(status: int) -> None:
    store = MemoryTokenStore()
    calls: list[int] = []

    def trouble(_request: httpx2.Request) -> httpx2.Response:
        calls.append(status)
        return httpx2.Response(status, text="down")

    with pytest.raises(TransientError):
        oauth(trouble, store).authorization()
    assert len(calls) == 3
    assert store.tokens is None


@pytest.mark.parametrize("body", [{}, {"access_token": None}, [1]])
def test_an_answer_without_a_token_is_not_stored(body: object) -> None:
    store = MemoryTokenStore()
    with pytest.raises(PermanentError, match="without an access token"):
        oauth(lambda _request: httpx2.Response(200, json=body), store).authorization()
    assert store.tokens is None


def test_a_service_that_does_not_rotate_keeps_its_token() -> None:
    server = TokenServer(rotates=False)
    store = MemoryTokenStore()
    oauth(server, store).authorization()
    assert store.tokens is not None
    assert store.tokens.refresh_token == "seed-token-0"
    assert store.tokens.previous_refresh_token is None


@pytest.mark.parametrize(
    ("extra", "days"),
    [
        ({"idle_expires_in": 100 * 86400}, 100),
        ({"idle_expires_in": 100 * 86400, "hard_expires_in": 20 * 86400}, 20),
        ({"idle_expires_in": "8640000"}, 100),
        ({"idle_expires_in": -1}, None),
        ({"idle_expires_in": "never"}, None),
        ({}, None),
    ],
)
def test_the_end_of_the_refresh_token_is_the_earliest_the_service_names(
    extra: dict[str, object], days: int | None
) -> None:
    server = TokenServer(extra=extra)
    auth = oauth(server, MemoryTokenStore())
    auth.authorization()
    assert auth.refresh_expires_at == (NOW + timedelta(days=days) if days else None)


def test_no_representation_shows_a_credential() -> None:
    server = TokenServer()
    store = MemoryTokenStore()
    auth = oauth(server, store)
    auth.authorization()
    shown = f"{auth!r} {store.tokens!r}"
    assert "seed_fingerprint" in shown
    for secret in ("seed-token-0", "rotated-token-1", "access-token-1", "client-secret"):
        assert secret not in shown
