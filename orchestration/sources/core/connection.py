"""Settings of a connection as they stand in organizations.yml, and the types their keys have.

The same models are used twice: on the file as written, where secrets are references (``env:NAME``), and on the
resolved values, by ``Model.resolved(values)``. No message ever shows a value: it may be a credential.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo

from orchestration.errors import ConfigurationError
from orchestration.sources.core.records import Stream

REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*\Z")


def is_reference(value: object) -> bool:
    """Whether the value names an environment variable instead of being one."""
    return isinstance(value, str) and REFERENCE.match(value) is not None


def _resolved(info: ValidationInfo) -> bool:
    return bool(info.context and info.context.get("resolved"))


def _secret(value: str, info: ValidationInfo) -> str:
    if _resolved(info):
        if not value.strip():
            raise ValueError("is empty")
        return value.strip()
    if not is_reference(value):
        raise ValueError("must be a reference such as env:NAME: no secret stands in this file")
    return value


def _text(value: str, info: ValidationInfo) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return value.strip()


def known_stream(vendor: str, streams: Iterable[Stream]) -> AfterValidator:
    """For an annotation: the text is the name of one of the source's streams."""
    known = [stream.name for stream in streams]

    def named(value: str) -> str:
        if value not in known:
            raise ValueError(f"is no stream of {vendor} (known: {', '.join(known)})")
        return value

    return AfterValidator(named)


def _service_url(value: str, info: ValidationInfo) -> str:
    value = value.strip()
    if is_reference(value) and not _resolved(info):
        return value
    url = urlsplit(value)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError("must be an http(s) address")
    if url.username or url.password:
        raise ValueError("must not hold a user name or password")
    if url.scheme == "http" and not _stays_near(url.hostname):
        raise ValueError("must use https: credentials would cross the network in clear")
    return value.rstrip("/")


_PORTS = {"http": 80, "https": 443, "mssql": 1433, "postgresql": 5432}


def _destination(address: str) -> tuple[str | None, int | None, str]:
    """Host, port and path: what two logins of one database share."""
    url = urlsplit(address)
    try:
        port = url.port
    except ValueError:
        return (address, None, "")
    return (url.hostname, port or _PORTS.get(url.scheme.partition("+")[0]), url.path.rstrip("/"))


def _stays_near(host: str) -> bool:
    """This machine, a private network, or a name without a domain (a container's neighbour)."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(".localhost")


SecretReference = Annotated[str, Field(repr=False), AfterValidator(_secret)]
"""A credential: only a reference is accepted in the file."""

Text = Annotated[str, AfterValidator(_text)]
"""Plain text or a reference."""

ServiceUrl = Annotated[str, AfterValidator(_service_url)]
"""Where a service is: https, or http on this machine and private networks. Plain or a reference."""


class ConnectionSettings(BaseModel):
    """Base of every source's settings: unknown keys are refused, values never shown in a message."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)

    account_fields: ClassVar[tuple[str, ...]] = ()
    """Settings that together name the source's account: organizations with the same ones would read the same data."""

    shared_account: bool = False
    """Whether other organizations may read the same account; all of them have to say so."""

    @classmethod
    def account_key(cls, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """What tells the account of such settings from others; None where the model names no ``account_fields``.

        ``values`` as they are stored, references replaced where they are known. Of an address counts where it leads,
        not by which login. The result may hold credentials: it is for comparing only.
        """
        if not cls.account_fields:
            return None
        found = []
        for name in cls.account_fields:
            field = cls.model_fields[name]
            value = values.get(field.alias or name, values.get(name, field.get_default()))
            found.append(_destination(value) if isinstance(value, str) and "://" in value else value)
        return tuple(found)

    @classmethod
    def resolved(cls, values: Mapping[str, Any]) -> Self:
        """The settings with references replaced by what they stand for; ConfigurationError lists what is wrong."""
        try:
            return cls.model_validate(dict(values), context={"resolved": True})
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise ConfigurationError(
                f"connection settings are not usable: {problems}",
                hint="correct organizations.yml or the variables it names, then run `aiop orgs apply`.",
            ) from None
