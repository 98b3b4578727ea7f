"""Access tokens for a service account: a claim signed with its key, exchanged for a token of an hour.

https://developers.google.com/identity/protocols/oauth2/service-account#httprest
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from orchestration.errors import ConfigurationError
from orchestration.logs import register_secret
from orchestration.sources.core.auth import InvalidGrant
from orchestration.sources.core.http import HttpClient
from orchestration.sources.core.instants import utc_now

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# The narrowest that lets a job be run; what may be read is a matter of the account's roles.
SCOPE = "https://www.googleapis.com/auth/bigquery"
_LIFETIME = 3600.0
# A token this close to its end is not worth starting a request with.
_MARGIN = 120.0
_PUBLIC = ("type", "project_id", "client_email", "client_id", "auth_uri", "token_uri", "universe_domain")

_HINT = (
    "make a new JSON key for the service account in Google Cloud (IAM, Service accounts, Keys), put its text into the "
    "variable that organizations.yml names, and check this machine's clock."
)


@dataclass
class ServiceAccount:
    """An ``http.Auth``. For one thread."""

    client: HttpClient
    key: Mapping[str, Any] = field(repr=False)
    token_url: str
    now: Callable[[], datetime] = utc_now
    _token: str = field(default="", repr=False)
    _ends: datetime | None = None

    def authorization(self) -> str:
        """See ``http.Auth``. ConfigurationError where the key is refused."""
        if not self._token or self._ends is None or self._ends <= self.now():
            self._obtain()
        return f"Bearer {self._token}"

    def renew(self, refused: str) -> bool:
        """See ``http.Auth``: one new token, unless a newer one is there."""
        if refused == f"Bearer {self._token}":
            self._obtain()
        return True

    def _obtain(self) -> None:
        form = {"grant_type": GRANT, "assertion": self._assertion()}
        try:
            reply = self.client.call("POST", self.token_url, data=form, headers={"Accept": "application/json"})
        except InvalidGrant as error:
            raise ConfigurationError(f"Google refuses the service account's key: {error}", hint=_HINT) from None
        self._token = str(reply.json["access_token"])
        register_secret(self._token)
        try:
            lifetime = float(str(reply.json.get("expires_in")))
        except ValueError:
            lifetime = _LIFETIME
        self._ends = self.now() + timedelta(seconds=max(lifetime - _MARGIN, lifetime / 2))

    def _assertion(self) -> str:
        from google.auth import crypt, jwt

        issued = int(self.now().timestamp())
        claim = {
            "iss": self.key["client_email"],
            "sub": self.key["client_email"],
            "scope": SCOPE,
            "aud": self.token_url,
            "iat": issued,
            "exp": issued + int(_LIFETIME),
        }
        signer = crypt.RSASigner.from_service_account_info(self.key)
        assertion = jwt.encode(signer, claim).decode()
        register_secret(assertion)
        return assertion


def read_key(text: str) -> dict[str, Any]:
    """A service account's JSON key. Registers what of it is secret; ConfigurationError where it can't be one."""
    register_secret(text)
    from google.auth import crypt

    try:
        key = json.loads(text)
        for name in ("client_email", "private_key"):
            if not isinstance(key[name], str):
                raise TypeError(name)
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError("service_account is not the JSON key of a service account", hint=_HINT) from None
    for name, value in key.items():
        if name not in _PUBLIC and isinstance(value, str):
            register_secret(value)
    try:
        crypt.RSASigner.from_service_account_info(key)
    except Exception:  # noqa: BLE001 - whatever the library raises may quote the key
        raise ConfigurationError("service_account holds no usable private key", hint=_HINT) from None
    return dict(key)
