"""HubSpot's error answers."""

from __future__ import annotations

from uuid import UUID, uuid5

_NAMESPACE = UUID("c033cdaa-2c40-4a64-ae48-b4cec88dad24")
EXPIRED = "The token used to make this call was revoked or has expired."
_DOCS = "https://developers.hubspot.com"


class ApiError(Exception):
    """An answer other than success: status, JSON body or text, extra headers."""

    def __init__(self, status: int, body: dict | str, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}


def correlation_id(number: int) -> str:
    return str(uuid5(_NAMESPACE, str(number)))


def error_body(message: str, category: str | None = None, **more: object) -> dict[str, object]:
    """The generic error object; the server adds the correlation id."""
    named = {"category": category} if category else {}
    return {"status": "error", "message": message, **named, **more}


def failure(status: int, message: str, category: str | None = None, **more: object) -> ApiError:
    return ApiError(status, error_body(message, category, **more))


def invalid(message: str, **more: object) -> ApiError:
    return failure(400, message, "VALIDATION_ERROR", **more)


def not_found(message: str = "resource not found") -> ApiError:
    return failure(404, message, "OBJECT_NOT_FOUND")


def unauthenticated() -> ApiError:
    message = (
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
        f"details at {_DOCS}/docs/methods/auth/oauth-overview"
    )
    return failure(401, message, "INVALID_AUTHENTICATION")


def expired() -> ApiError:
    return failure(401, EXPIRED, "EXPIRED_AUTHENTICATION")


def malformed_token() -> ApiError:
    """What the network in front of HubSpot answers to a token it can route nowhere."""
    return ApiError(530, "<!DOCTYPE html><html><body><h1>Error 1016</h1><p>Origin DNS error</p></body></html>")


def url_too_long() -> ApiError:
    return ApiError(414, "<html><head><title>414 Request-URI Too Large</title></head><body></body></html>")


def missing_scopes(scopes: tuple[str, ...]) -> ApiError:
    message = (
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: "
        f"{_DOCS}/scopes."
    )
    detail = {
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": list(scopes)},
    }
    return failure(403, message, "MISSING_SCOPES", errors=[detail], links={"scopes": f"{_DOCS}/scopes"})


def limit_body(policy: str, hub_id: int) -> dict[str, object]:
    """What a spent limit says: TEN_SECONDLY_ROLLING, SECONDLY (search) or DAILY."""
    groups = {
        "TEN_SECONDLY_ROLLING": "publicapi:private-apps:api-calls-per-ten-seconds",
        "SECONDLY": "publicapi:crm:search",
        "DAILY": "publicapi:private-apps:api-calls-daily",
    }
    return {
        "status": "error",
        "message": f"You have reached your {policy.lower()} limit.",
        "errorType": "RATE_LIMIT",
        "policyName": policy,
        "groupName": f"{groups[policy]}:{hub_id}",
    }


def rate_limited(policy: str, hub_id: int, retry_after: str | None) -> ApiError:
    return ApiError(429, limit_body(policy, hub_id), {"Retry-After": retry_after} if retry_after else {})
