"""Refresh tokens as a browser has them, and as one that copied them."""

from __future__ import annotations

import httpx
import jwt

from tests.api import patient
from tests.support.grace import GRACE_SECONDS
from tests.support.system import System

REFRESH = "/api/v2/auth/refresh"
COOKIE = "refresh_token_cookie"


def session_of(client: httpx.Client) -> str:
    claims = jwt.decode(client.cookies[COOKIE], options={"verify_signature": False})
    return str(claims["sid"])


def refresh_with(system: System, cookie: str) -> httpx.Response:
    return patient.post(system.url + REFRESH, cookies={COOKIE: cookie})


def pass_grace(system: System, session_id: str) -> None:
    """As if the last refresh had been so long ago."""
    assert system.sql(
        "UPDATE sessions SET refreshed_at = refreshed_at - make_interval(secs => %s) WHERE id = %s RETURNING id",
        *(GRACE_SECONDS, session_id),
    )
