"""The access log: a line for each sign-in and sign-out, each API key that is made or revoked, their failures, and each
refusal, with user, the id of the API key, address and outcome. It holds no names and no input: people type passwords
into the field for the name."""

from __future__ import annotations

import ipaddress
import logging

from flask import Flask, Response, g, request

logger = logging.getLogger("taskroom.access")

SESSIONS = {
    "auth.login": "sign_in",
    "auth.logout": "sign_out",
    "auth.refresh": "refresh",
    "auth.ticket": "ticket",
    "keys.create": "key_made",
    "keys.revoke": "key_revoked",
}
# The others, and all other calls, only where they are refused.
ALWAYS = frozenset({"auth.login", "auth.logout", "keys.create", "keys.revoke"})
OUTCOMES = {
    401: "unauthorized",
    403: "forbidden",
    404: "foreign",  # the response is that of an object that does not exist
    413: "too_large",
    422: "malformed",
    429: "too_many",
    503: "unavailable",
}
REFUSALS = frozenset({401, 403, 429})


def init_app(app: Flask) -> None:
    @app.after_request
    def log(response: Response) -> Response:
        status, endpoint = response.status_code, request.endpoint or ""
        refused = status in REFUSALS or (status == 404 and g.get("foreign", False))
        if refused or endpoint in ALWAYS or (endpoint in SESSIONS and status >= 400):
            rule = request.url_rule.rule if request.url_rule else "none"
            write(SESSIONS.get(endpoint) or f"{request.method[:8]} {rule}", status)
        return response


def concerns(user_id: str, key_id: str | None = None) -> None:
    """Sets the user of the current request, proven or claimed, and the id of its API key."""
    g.user_id, g.key_id = user_id, key_id


def foreign() -> None:
    """Marks the current request as one for an object of another user: the response is 404, the log says ``foreign``."""
    g.foreign = True


def write(action: str, status: int) -> None:
    """Writes the line for the current request or socket event."""
    outcome = OUTCOMES.get(status, str(status)) if status >= 400 else "ok"
    user, key = g.get("user_id", "-"), g.get("key_id")
    who = f"{user} key={key}" if key else user
    logger.info("%s user=%s address=%s outcome=%s", action, who, _address(), outcome)


def refused(action: str, status: int) -> None:
    """Writes the line for a socket event, when it is refused."""
    if status in REFUSALS or (status == 404 and g.get("foreign", False)):
        write(action, status)


def _address() -> str:
    """Returns the address when it is valid: a forged header must not add fields to the line."""
    try:
        return str(ipaddress.ip_address(request.remote_addr or ""))
    except ValueError:
        return "unknown"
