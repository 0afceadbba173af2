"""Sign in, stay signed in, sign out, and tickets for an EventSource that cannot send headers."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response, jsonify
from flask_jwt_extended import set_access_cookies, set_refresh_cookies, unset_jwt_cookies
from flask_limiter.util import get_remote_address

from app import auth
from app.api.base import Blueprint, NoQuery, json_body, signed_in
from app.auth import Principal
from app.errors import Unauthorized
from app.extensions import limiter
from app.services import services

blp = Blueprint("auth", __name__, description="Sessions")


class Login(ma.Schema):
    email = ma.fields.String(required=True, validate=ma.validate.Length(1, 254))
    password = ma.fields.String(required=True, validate=ma.validate.Length(1, 1024), load_only=True)


class User(ma.Schema):
    id = ma.fields.String()
    email = ma.fields.String()
    role = ma.fields.String()


class SignedIn(ma.Schema):
    access_token = ma.fields.String()
    expires_in = ma.fields.Integer(metadata={"description": "Seconds"})
    user = ma.fields.Nested(User)


class TicketSchema(ma.Schema):
    ticket = ma.fields.String(metadata={"description": "Good for one stream: `?ticket=`"})
    expires_in = ma.fields.Integer(metadata={"description": "Seconds"})


def _who() -> str:
    try:
        body = json_body()
    except ValueError:  # the view will say so
        body = None
    email = body.get("email") if isinstance(body, dict) else None
    return f"{get_remote_address()} {auth.account_name(str(email)[:254])}"


@blp.post("/auth/login")
@blp.arguments(NoQuery, location="query")
@blp.arguments(Login)
@blp.alt_response(200, schema=SignedIn)
@blp.doc(security=[])
# Failures only: signing in well any number of times attacks nobody.
@limiter.limit("10 per minute", key_func=_who, deduct_when=lambda response: response.status_code == 401)
@limiter.limit("60 per minute", deduct_when=lambda response: response.status_code == 401)
def login(query: dict[str, Any], body: dict[str, str]) -> Response:
    principal, access, refresh = auth.sign_in(body["email"], body["password"])
    response = jsonify(_signed_in(principal, access))
    set_access_cookies(response, access)
    set_refresh_cookies(response, refresh)
    return response


@blp.post("/auth/refresh")
@blp.arguments(NoQuery, location="query")
@blp.alt_response(200, schema=SignedIn)
@blp.doc(security=[])
def refresh(query: dict[str, Any]) -> Response:
    principal, access = auth.refreshed()
    response = jsonify(_signed_in(principal, access))
    set_access_cookies(response, access)
    return response


@blp.post("/auth/logout")
@blp.arguments(NoQuery, location="query")
@blp.response(204)
def logout(query: dict[str, Any]) -> Response:
    """Ends the session at once, open streams too."""
    try:
        principal = auth.current()
    except Unauthorized:
        principal, _ = auth.refreshed()  # the access token may have expired in an idle tab
    auth.sign_out(principal)
    response = Response(status=204)
    unset_jwt_cookies(response)
    return response


@blp.post("/auth/ticket")
@signed_in
@blp.arguments(NoQuery, location="query")
@blp.response(200, TicketSchema)
def ticket(principal: Principal, query: dict[str, Any]) -> dict[str, Any]:
    return {"ticket": auth.new_ticket(principal), "expires_in": services().config.ticket_seconds}


def _signed_in(principal: Principal, access: str) -> dict[str, Any]:
    return {
        "access_token": access,
        "expires_in": services().config.access_token_seconds,
        "user": {"id": principal.user_id, "email": principal.email, "role": principal.role},
    }
