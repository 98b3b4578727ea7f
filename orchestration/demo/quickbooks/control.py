"""The control endpoints: not QuickBooks, but the way tests and demos steer the stand-in. docs/demo.md lists them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from orchestration.demo.quickbooks import edits
from orchestration.demo.quickbooks.limits import Limits
from orchestration.demo.serving.controls import control, fault_controls

if TYPE_CHECKING:
    from orchestration.demo.quickbooks.app import Service

SERVICE = "aiop-demo-quickbooks"


def routes(service: Service) -> list[Route]:
    """Routes below ``/_control``. Bad requests are answered 400 with ``{"error": …}``."""

    def action(method: str, path: str, act: Callable[[Service, dict[str, Any]], Any]) -> Route:
        return control(method, path, lambda given: act(service, given))

    return [
        action("GET", "/state", _state),
        action("GET", "/log", lambda s, given: [asdict(asked) for asked in list(s.log)]),
        action("DELETE", "/log", lambda s, given: s.log.clear()),
        *fault_controls(service.faults),
        action("POST", "/rotate", _rotate),
        action("POST", "/expire", _expire),
        action("POST", "/reconnect", lambda s, given: {"refresh_token": s.tokens.reconnect(given["realm"])}),
        action("POST", "/tokens", _tokens),
        action("POST", "/limits", _limits),
        action("POST", "/behaviour", _behaviour),
        action("POST", "/edit", _edit),
    ]


def _state(service: Service, given: dict[str, Any]) -> dict[str, Any]:
    world = service.world()
    return {
        "service": SERVICE,
        "directory": str(service.directory) if service.directory else None,
        "now": world.now.isoformat(),
        "seed": world.seed,
        "days": world.days,
        "realms": {realm.company.slug: number for number, realm in service.realms.items()},
        "refreshes": service.tokens.refreshes,
    }


def _realms(service: Service, given: dict[str, Any]) -> list[str]:
    """The realm that is named, or all of them."""
    realm = given.get("realm")
    if realm is not None and realm not in service.realms:
        raise ValueError(f"no realm {realm}")
    return list(service.realms) if realm is None else [realm]


def _rotate(service: Service, given: dict[str, Any]) -> None:
    mode = given.get("mode", "next")
    if mode not in ("daily", "next", "always"):
        raise ValueError("mode must be daily, next or always")
    for realm in _realms(service, given):
        service.tokens.rotate(realm, mode)


def _expire(service: Service, given: dict[str, Any]) -> None:
    what = given.get("token", "access")
    if what not in ("access", "refresh"):
        raise ValueError("token must be access or refresh")
    for realm in _realms(service, given):
        service.tokens.expire(realm, what)


def _tokens(service: Service, given: dict[str, Any]) -> None:
    service.tokens.previous_accepted = bool(given.get("previous_accepted", service.tokens.previous_accepted))
    service.tokens.access_seconds = int(given.get("access_seconds", service.tokens.access_seconds))


def _limits(service: Service, given: dict[str, Any]) -> None:
    wanted = {key: value for key, value in given.items() if key != "realm"}
    known = {f.name for f in fields(Limits) if not f.name.startswith("_")}
    if not set(wanted) <= known:
        raise ValueError(f"known: {', '.join(sorted(known))}")
    for realm in _realms(service, given):
        service.limits[realm] = Limits(**wanted)


def _behaviour(service: Service, given: dict[str, Any]) -> dict[str, Any]:
    wanted = {key: value for key, value in given.items() if key != "realm"}
    behaviours = {realm: service.realms[realm].behaviour for realm in _realms(service, given)}
    known = {f.name for behaviour in behaviours.values() for f in fields(behaviour)}
    if not set(wanted) <= known:
        raise ValueError(f"known: {', '.join(sorted(known))}")
    for behaviour in behaviours.values():
        for key, value in wanted.items():
            setattr(behaviour, key, value)
    return {realm: asdict(behaviour) for realm, behaviour in behaviours.items()}


def _edit(service: Service, given: dict[str, Any]) -> dict[str, Any]:
    realm = service.realms[given["realm"]]
    with realm.lock:
        realm.follow(service.world())
        return edits.apply(realm.ledger, realm.now, given)
