"""Google's token endpoint: access tokens for assertions that a service account signed.

The signature, the times, the audience and the scope are checked as Google checks them.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass
class Key:
    """A service account of the stand-in with its key, made when the program runs: it opens nothing else."""

    email: str
    private: rsa.RSAPrivateKey = field(repr=False)
    revoked: bool = False

    def json(self, token_url: str) -> str:
        """The text that Google Cloud gives as a JSON key."""
        pem = self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return json.dumps(
            {
                "type": "service_account",
                "project_id": self.email.partition("@")[2].partition(".")[0],
                "private_key_id": uuid5(NAMESPACE_URL, self.email).hex,
                "private_key": pem.decode(),
                "client_email": self.email,
                "token_uri": token_url,
            }
        )


@cache
def make_key(email: str) -> Key:
    return Key(email, rsa.generate_private_key(public_exponent=65537, key_size=2048))


@dataclass
class Tokens:
    """``keys`` by e-mail; ``issued``: access token -> e-mail, for as long as it is valid."""

    keys: dict[str, Key] = field(default_factory=dict)
    issued: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    lifetime: int = 3600
    _number: int = 0

    def exchange(self, form: dict[str, str], audience: str) -> tuple[int, dict[str, Any]]:
        """Status and body of an answer to a token request."""
        self.asked.append(form.get("assertion", ""))
        try:
            head, claim, signature = (_decoded(part) for part in form["assertion"].split("."))
            facts = json.loads(claim)
            key = self.keys[facts["iss"]]
            signed = form["assertion"].rpartition(".")[0].encode()
            key.private.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        except (KeyError, ValueError, InvalidSignature):
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        if key.revoked or json.loads(head)["alg"] != "RS256":
            return 400, {"error": "invalid_grant", "error_description": "Invalid grant: account not found"}
        if form["grant_type"] != GRANT or facts["aud"] != audience or facts["exp"] - facts["iat"] > 3600:
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT"}
        if "bigquery" not in facts.get("scope", ""):
            return 400, {"error": "invalid_scope", "error_description": "Empty or missing scope not allowed."}
        self._number += 1
        token = f"ya29.c.stand-in-{self._number:04d}-{uuid5(NAMESPACE_URL, form['assertion']).hex}"
        self.issued[token] = key.email
        return 200, {"access_token": token, "expires_in": self.lifetime, "token_type": "Bearer"}


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
