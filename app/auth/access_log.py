"""The access log: a line for each sign-in and sign-out, each API key and share that is made or revoked, their failures,
and each refusal of a caller, with user, the id of the API key or share, address and outcome. It holds no names and no
input: people type passwords into the field for the name. What it refuses is counted for the trail too."""

from __future__ import annotations

import ipaddress
import logging
import re
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g, request

from app.auth import trail
from app.auth.principal import Principal
from app.auth.refusals import About, Refusals, Refused
from app.errors import Problem
from app.observability import log_format
from app.services import services

logger = logging.getLogger("taskroom.access")

SESSIONS = {
    "auth.login": "sign_in",
    "auth.logout": "sign_out",
    "auth.refresh": "refresh",
    "auth.ticket": "ticket",
}
KEYS = {
    "keys.create": "key_made",
    "keys.revoke": "key_revoked",
    "shares.create": "share_made",
    "shares.revoke": "share_revoked",
}
# The others, and all other calls, only where they are refused.
ALWAYS = frozenset({"auth.login", "auth.logout", *KEYS})
# What else a call of SESSIONS fails with, by the status of its response.
FAILURES = {
    **dict.fromkeys((400, 411, 415, 422), "malformed"),
    413: "too_large",
    500: "failed",
    503: "unavailable",
}
# Those that the trail has too, of a sign-in and of anything else. The others are many where nothing is wrong: an access
# token expires, a page reconnects.
IN_TRAIL = {"sign_in": frozenset({"unauthorized", "too_many"})}
RIGHTS = frozenset({"forbidden", "foreign", "address"})
# The calls about a thing that has a name.
HELD = {
    "holds.pause": "queue",
    "holds.resume": "queue",
    "holds.drain": "worker",
    "holds.undrain": "worker",
}
PART = re.compile(r"<(?:\w+:)?(\w+)>")  # of a rule of Flask: the trail has it as the API documentation does
LONGEST_NAME = 255  # characters of it in the trail
NOBODY = "-"


@dataclass(slots=True)
class Client:
    """The client of a connection, for lines that are written outside of Flask's requests."""

    address: str
    request_id: str | None  # of the handshake
    user_id: str = NOBODY
    credential: str = ""  # its field of the line, for an API key or a share


def init_app(app: Flask) -> None:
    app.before_request(note_address)

    @app.teardown_request
    def forget(error: BaseException | None) -> None:
        trail.caller_address.set(None)  # the greenlet goes on to the next request of the connection

    @app.after_request
    def log(response: Response) -> Response:
        status, endpoint = response.status_code, request.endpoint or ""
        if request.method == "OPTIONS":
            endpoint = ""
        outcome = g.get("refusal")
        if outcome is None and endpoint in SESSIONS and status >= 400:
            outcome = FAILURES.get(status, str(status))
        if outcome is None and endpoint in ALWAYS and status < 400:
            outcome = "ok"
        if outcome is not None:
            rule = request.url_rule.rule if request.url_rule else "none"
            action = SESSIONS.get(endpoint) or KEYS.get(endpoint)
            _write(action or f"{request.method[:8]} {rule}", outcome)
        return response


def note_address() -> None:
    """Keeps the address of the current request for the trail. A handshake calls it too: Flask begins no request for
    it."""
    trail.caller_address.set(client_of(request.environ).address)


def concerns(user_id: str, key_id: str | None = None, share_id: str | None = None) -> None:
    """Sets the user of the current request or socket event, proven or claimed, and the id of its API key or share."""
    g.user_id, g.key_id = user_id, key_id
    g.credential = f" share={share_id}" if share_id else f" key={key_id}" if key_id else ""


def concerns_caller(principal: Principal) -> None:
    """Sets the principal as the caller of the current request or socket event."""
    share_id = principal.session_id if principal.shared_task else None
    concerns(user_of(principal), principal.key_id, share_id)


def user_of(principal: Principal) -> str:
    """Returns the account of the principal; a share token has none."""
    return NOBODY if principal.shared_task else principal.user_id


def signed_in(user_id: str) -> None:
    """Writes the line for the first use of a session of another issuer."""
    concerns(user_id)
    _write("sign_in", "ok")


def refused(problem: Problem) -> None:
    """Sets the outcome of the current request when the problem refuses the caller; the response may hide it."""
    g.refusal = problem.refusal


def event_refused(name: str, problem: Problem) -> None:
    """Writes the line for an event of a socket when the problem refuses the caller."""
    if problem.refusal is not None:
        _write(name, problem.refusal)


def client_of(environ: dict[str, Any]) -> Client:
    """Returns the client of a request that Flask does not answer."""
    return Client(_valid(environ.get("REMOTE_ADDR")), environ.get(log_format.REQUEST_ID))


def handshake_refused(client: Client, problem: Problem) -> None:
    """Writes the line for a handshake that is refused before Flask knows of it."""
    if problem.refusal is not None:
        _line("connect", client, problem.refusal)


def closed(client: Client, reason: str) -> None:
    """Writes the line for a socket that is closed for what its client sent, or did not."""
    _line("socket", client, f'closed reason="{reason}"')


def _write(action: str, outcome: str) -> None:
    client = client_of(request.environ)
    client.user_id, client.credential = g.get("user_id", NOBODY), g.get("credential", "")
    _line(action, client, outcome)
    if outcome in IN_TRAIL.get(action, RIGHTS):
        _count(action, client, outcome)


def _count(action: str, client: Client, outcome: str) -> None:
    """Counts a refusal for the trail."""
    is_sign_in, key_id = action in IN_TRAIL, g.get("key_id")
    refused = Refused(
        action=action if is_sign_in else "refused",
        outcome=outcome,
        title="" if is_sign_in else PART.sub(r"{\1}", action),
        user_id=None if client.user_id == NOBODY else client.user_id,
        key_id=key_id,
        address=client.address,
        note="" if key_id else client.credential.strip(),
    )
    services()[Refusals].count(refused, _about(request.view_args or {}))


def _about(given: dict[str, Any]) -> About:
    """Returns what a call is about, by the parts of its address."""
    if "task_id" in given:
        return About("task", str(given["task_id"]))
    kind = HELD.get(request.endpoint or "")
    return About(kind, given["name"][:LONGEST_NAME]) if kind else About()


def _line(action: str, client: Client, outcome: str) -> None:
    who = client.user_id + client.credential
    with log_format.request(client.request_id):
        logger.info("%s user=%s address=%s outcome=%s", action, who, client.address, outcome)


def _valid(address: str | None) -> str:
    """Returns the address when it is one: a forged header must not add fields to the line."""
    try:
        return str(ipaddress.ip_address(address or ""))
    except ValueError:
        return "unknown"
