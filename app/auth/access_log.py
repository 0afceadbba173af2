"""One line of the log for each sign-in and sign-out, each failure at it and each refusal: whose, from where, and what
came of it. Neither names nor what was sent stand in it: people type passwords where their name belongs."""

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
}
# The others, and all other calls, only where they are refused.
ALWAYS = frozenset({"auth.login", "auth.logout"})
OUTCOMES = {
    401: "unauthorized",
    403: "forbidden",
    404: "foreign",  # answered like what is not there
    413: "too_large",
    422: "malformed",
    429: "too_many",
    503: "unavailable",
}
REFUSALS = frozenset({401, 403, 429})


def init_app(app: Flask) -> None:
    @app.after_request
    def tell(response: Response) -> Response:
        status, endpoint = response.status_code, request.endpoint or ""
        refused = status in REFUSALS or (status == 404 and g.get("foreign", False))
        if refused or endpoint in ALWAYS or (endpoint in SESSIONS and status >= 400):
            rule = request.url_rule.rule if request.url_rule else "none"
            told(SESSIONS.get(endpoint) or f"{request.method[:8]} {rule}", status)
        return response


def concerns(user_id: str) -> None:
    """Whose the present request is, as far as that is shown or tried."""
    g.user_id = user_id


def foreign() -> None:
    """The present request asks for what is another's: it looks like what is not there, but not here."""
    g.foreign = True


def told(what: str, status: int) -> None:
    """Writes the line for the present request or message of a socket."""
    outcome = OUTCOMES.get(status, str(status)) if status >= 400 else "ok"
    logger.info("%s user=%s address=%s outcome=%s", what, g.get("user_id", "-"), _address(), outcome)


def refused(what: str, status: int) -> None:
    """The same for an event of a socket, where it is a refusal."""
    if status in REFUSALS or (status == 404 and g.get("foreign", False)):
        told(what, status)


def _address() -> str:
    """Only what is one: a header of somebody further out must not write other fields."""
    try:
        return str(ipaddress.ip_address(request.remote_addr or ""))
    except ValueError:
        return "unknown"
