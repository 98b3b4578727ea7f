"""Rotating OAuth tokens in ``ops.oauth_tokens``: encrypted, one holder at a time, durable before they are used."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import msgspec
import psycopg

from orchestration.errors import ConfigurationError, DatabaseError, UsageError
from orchestration.logs import register_secret
from orchestration.sources.core.records import OAuthTokens, TokenCell
from orchestration.warehouse import database, locks
from orchestration.warehouse.connections import tokens_lock
from orchestration.warehouse.database_errors import database_errors
from orchestration.warehouse.secrets import Vault

# A refresh is one request with its retries.
_WAIT_SECONDS = 300.0
# A refreshed token exists nowhere else: losing it means a person has to connect again.
_SAVE_ATTEMPTS = 4
# A session that stood idle for longer may have been dropped on its way, without a word.
_TRUSTED_SECONDS = 60.0
# The lock is all that its session ever commits.
_HOLDING = {"synchronous_commit": "off"}


class TokenSession:
    """A database session that holds locks on tokens, for stores that are used one after the other: for one thread."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection | None = None
        self._used = 0.0

    @contextmanager
    def lent(self) -> Iterator[psycopg.Connection]:
        """The session, opened where it is not open yet."""
        if time.monotonic() - self._used > _TRUSTED_SECONDS:
            self.close()
        if self._connection is None or self._connection.closed:
            self._connection = database.connect(autocommit=True, application_name="aiop tokens", settings=_HOLDING)
        try:
            yield self._connection
        finally:
            self._used = time.monotonic()

    def close(self) -> None:
        """End the session; it is opened again when it is needed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresTokenStore:
    """The tokens of one organization's connection to one source (a ``TokenStore``).

    ``session``: the one that holds the lock, where several stores share it; otherwise one is opened each time.
    """

    def __init__(self, org_id: int, source: str, organization: str = "", session: TokenSession | None = None) -> None:
        self._org_id = org_id
        self._source = source
        self._organization = organization or str(org_id)
        self._session = session

    @contextmanager
    def locked(self) -> Iterator[TokenCell]:
        """Wait for the connection's tokens and hold them until the block ends.

        Two database sessions: one holds the lock, so that saving, which commits in the other, does not give it up.
        Raises ConfigurationError where the key is missing or another one encrypted the tokens, and DatabaseError.
        """
        vault = self._vault()
        with ExitStack() as stack:
            session = self._session or TokenSession()
            if self._session is None:
                stack.callback(session.close)
            name, what = tokens_lock(self._org_id, self._source), f"tokens of {self._organization} / {self._source}"
            # Only the store's own statements are translated: what the block raises is the block's.
            with database_errors():
                holder = stack.enter_context(session.lent())
                stack.enter_context(locks.exclusive(holder, name, what=what, wait_seconds=_WAIT_SECONDS))
                cell = _Cell(holder, self._org_id, self._source, self._organization, vault)
            yield cell

    def _vault(self) -> Vault:
        try:
            return Vault.from_environment()
        except UsageError as error:
            raise self._as_configuration(error) from None

    def _as_configuration(self, error: UsageError) -> ConfigurationError:
        return _as_configuration(error, self._organization, self._source)


class _Cell:
    """A ``TokenCell``. ``tokens`` is what is stored; None where nothing is."""

    def __init__(self, holder: psycopg.Connection, org_id: int, source: str, organization: str, vault: Vault) -> None:
        self._key = (org_id, source)
        self._vault = vault
        # Under the lock: what was saved last is what is read.
        row = holder.execute(
            "select tokens from ops.oauth_tokens where org_id = %s and source = %s", self._key
        ).fetchone()
        self.tokens: OAuthTokens | None = None
        if row is not None and row[0] is not None:
            lost = f"aiop orgs disconnect {organization} {source}, then connect it again with a new refresh token"
            try:
                self.tokens = msgspec.json.decode(vault.decrypt(row[0], if_lost=lost), type=OAuthTokens)
            except UsageError as error:
                raise _as_configuration(error, organization, source) from None
            _register(self.tokens)

    def save(self, tokens: OAuthTokens) -> None:
        """Commit ``tokens``; once this returns, every process reads them, whatever happens to this one."""
        _register(tokens)
        encrypted = self._vault.encrypt(msgspec.json.encode(tokens))
        for attempt in range(1, _SAVE_ATTEMPTS + 1):
            try:
                with database_errors():
                    self._write(tokens, encrypted)
                break
            except DatabaseError:
                if attempt == _SAVE_ATTEMPTS:
                    raise
                time.sleep(0.2 * attempt)
        self.tokens = tokens

    def _write(self, tokens: OAuthTokens, encrypted: bytes) -> None:
        with database.connect(autocommit=True, application_name="aiop tokens") as connection:
            # Whatever the server's default: the token that this one replaces may be dead already.
            connection.execute("set synchronous_commit = on")
            connection.execute(
                """
                insert into ops.oauth_tokens (
                    org_id, source, tokens, seed_fingerprint, access_expires_at, refresh_expires_at, revoked_reason,
                    updated_at
                ) values (%s, %s, %s, %s, %s, %s, %s, now())
                on conflict (org_id, source) do update set
                    tokens = excluded.tokens,
                    seed_fingerprint = excluded.seed_fingerprint,
                    access_expires_at = excluded.access_expires_at,
                    refresh_expires_at = excluded.refresh_expires_at,
                    revoked_reason = excluded.revoked_reason,
                    updated_at = excluded.updated_at
                """,
                [
                    *self._key,
                    encrypted,
                    tokens.seed_fingerprint,
                    tokens.access_expires_at,
                    tokens.refresh_expires_at,
                    tokens.revoked_reason,
                ],
            )


def _register(tokens: OAuthTokens) -> None:
    for secret in (tokens.refresh_token, tokens.access_token, tokens.previous_refresh_token):
        if secret:
            register_secret(secret)


def _as_configuration(error: UsageError, organization: str, source: str) -> ConfigurationError:
    return ConfigurationError(error.message, hint=error.hint, organization=organization, source=source)
