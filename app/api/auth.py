"""Sign in, refresh, sign out, and tickets for an EventSource, which cannot send headers."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response, jsonify
from flask_jwt_extended import set_access_cookies, set_refresh_cookies, unset_jwt_cookies

from app.api import limits
from app.auth import identity, sessions
from app.auth.principal import SESSION, Principal
from app.auth.tokens import Authenticator
from app.errors import Unauthorized
from app.http.base import Blueprint, NoQuery, reading_shared
from app.http.json_body import json_body
from app.http.rate_limits import address, limiter
from app.http.scopes import PUBLIC, declared
from app.services import services

blp = Blueprint("auth", __name__, description="Sessions")

BODY_LIMIT = 4096  # bytes; clients without sign-in may send them


class Login(ma.Schema):
    email = ma.fields.String(required=True, validate=ma.validate.Length(1, 254))
    password = ma.fields.String(required=True, validate=ma.validate.Length(1, 1024), load_only=True)


class UserSchema(ma.Schema):
    id = ma.fields.String(attribute="user_id")
    email = ma.fields.String()
    role = ma.fields.String()
    tenant = ma.fields.String(allow_none=True)


class SignedInSchema(ma.Schema):
    access_token = ma.fields.String()
    expires_in = ma.fields.Integer(metadata={"description": "Seconds"})
    user = ma.fields.Nested(UserSchema)


class TicketSchema(ma.Schema):
    ticket = ma.fields.String(metadata={"description": "Good for one stream: `?ticket=`"})
    expires_in = ma.fields.Integer(metadata={"description": "Seconds"})


def _login_key() -> str:
    try:
        body = json_body()
    except ValueError:  # the view reports it
        body = None
    email = body.get("email") if isinstance(body, dict) else None
    return f"{address()} {sessions.account_name(str(email)[:254])}"


@blp.post("/auth/login")
@declared(PUBLIC)
@blp.arguments(NoQuery, location="query")
@blp.arguments(Login)
@blp.alt_response(200, schema=SignedInSchema)
# The limits of failures count after the check: a hundred guesses that arrive at once would pass them.
@limiter.limit("30 per minute", key_func=_login_key)
@limiter.limit("300 per minute")
# Failures only: a successful sign-in is no attack.
@limiter.limit("10 per minute", key_func=_login_key, deduct_when=lambda response: response.status_code == 401)
@limiter.limit("60 per minute", deduct_when=lambda response: response.status_code == 401)
def login(query: dict[str, Any], body: dict[str, str]) -> Response:
    return _tokens_response(sessions.sign_in(body["email"], body["password"]))


@blp.post("/auth/refresh")
@declared(PUBLIC)
@blp.arguments(NoQuery, location="query")
@blp.alt_response(200, schema=SignedInSchema)
@limits.refreshes
def refresh(query: dict[str, Any]) -> Response:
    """Returns a new access token, and sets the cookie with the next refresh token."""
    identity.refuse_key()
    return _tokens_response(sessions.refresh(identity.refresh_cookie()))


@blp.post("/auth/logout")
@declared(SESSION)
@blp.arguments(NoQuery, location="query")
@blp.response(204)
def logout(query: dict[str, Any]) -> Response:
    """Ends the session and its open streams at once."""
    try:
        principal = identity.current(SESSION)
    except Unauthorized:
        # The access token may have expired in an idle tab.
        principal = services()[Authenticator].of_refresh(identity.refresh_cookie())
    sessions.sign_out(principal)
    response = Response(status=204)
    unset_jwt_cookies(response)
    identity.set_stream_cookie(response, "", 0)
    return response


@blp.post("/auth/ticket")
@reading_shared
@limits.tickets
@blp.response(200, TicketSchema)
def ticket(principal: Principal) -> dict[str, Any]:
    return {"ticket": sessions.new_ticket(principal), "expires_in": services().config.ticket_seconds}


def _tokens_response(signed: sessions.SignedIn) -> Response:
    response = jsonify(
        {
            "access_token": signed.access,
            "expires_in": services().config.access_token_seconds,
            "user": UserSchema().dump(signed.principal),
        }
    )
    set_access_cookies(response, signed.access, max_age=services().config.access_token_seconds)
    set_refresh_cookies(response, signed.refresh, max_age=signed.seconds)
    identity.set_stream_cookie(response, signed.stream, signed.seconds)
    return response
