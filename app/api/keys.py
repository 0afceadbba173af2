"""API keys: programs call the API with them, as their owner does, in the limits of the key's scopes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import marshmallow as ma

from app.api import limits
from app.api.cursors import PageQuery, page_response, position_of, utc
from app.api.idempotency import KeyHeaders, KeyResult, Remember, key_of, run_once
from app.auth import access_log, api_keys, permissions, trail
from app.auth.principal import LONGEST_TENANT, SCOPES, Principal, tenant_of
from app.auth.sign_out import SignOut
from app.errors import Conflict
from app.http.base import Blueprint, ListField, ScopeField, WholeField, signed_in
from app.services import services

blp = Blueprint("keys", __name__, description="API keys")

_seconds = ma.validate.Range(int(api_keys.SHORTEST.total_seconds()), int(api_keys.LONGEST.total_seconds()))


def _name(text: str) -> None:
    if not api_keys.is_name(text):
        raise ma.ValidationError("Not printable characters.")


def _tenant(text: str) -> None:
    try:
        valid = tenant_of(text) == text
    except ValueError:
        valid = False
    if not valid:
        raise ma.ValidationError("Not the name of a tenant.")


class NewKeySchema(ma.Schema):
    name = ma.fields.String(required=True, validate=[ma.validate.Length(1, api_keys.LONGEST_NAME), _name])
    scopes = ListField(ma.fields.String(validate=ma.validate.OneOf(SCOPES)), 1, len(SCOPES), required=True)
    expires_in = WholeField(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=_seconds,
        metadata={"description": "Seconds; null: it does not expire"},
    )
    tenant = ma.fields.String(
        allow_none=True,
        validate=[ma.validate.Length(1, LONGEST_TENANT), _tenant],
        metadata={"description": "The caller's own when left out; a global admin may name any"},
    )


class ApiKeySchema(ma.Schema):
    id = ma.fields.String()
    name = ma.fields.String()
    prefix = ma.fields.String(metadata={"description": "The first characters of the key"})
    scopes = ma.fields.List(ma.fields.String(validate=ma.validate.OneOf(SCOPES)))
    tenant = ma.fields.String(allow_none=True)
    owner = ma.fields.String(metadata={"description": "The e-mail address of its account"})
    created_at = ma.fields.String()
    expires_at = ma.fields.String(allow_none=True)
    last_used_at = ma.fields.String(allow_none=True, metadata={"description": "To the minute"})


class CreatedKey(ApiKeySchema):
    key = ma.fields.String(metadata={"description": "`trk_…`; it is shown only once"})


class KeysQuery(PageQuery):
    scope = ScopeField()


class KeyPage(ma.Schema):
    keys = ma.fields.List(ma.fields.Nested(ApiKeySchema))
    next = ma.fields.String(allow_none=True)


@blp.get("/keys")
@signed_in
@blp.arguments(KeysQuery, location="query")
@blp.response(200, KeyPage)
def listed(principal: Principal, query: dict[str, Any]) -> Any:
    """Returns the caller's keys, newest first; with `scope=tenant` those of the tenant, for its admins. Expired ones
    stay for a week."""
    before, limit = position_of(query, utc, UUID), query["limit"]
    with services().read() as conn, conn.cursor() as cur:
        if query["scope"] == "tenant":
            tenant = permissions.administered_tenant(principal)
            found = api_keys.page(cur, "tenant", tenant, before, limit + 1)
        else:
            found = api_keys.page(cur, "user_id", principal.user_id, before, limit + 1)
    page = found[:limit]  # of small rows: 200 keys take less than a tenth of a megabyte
    position = (page[-1]["created_at"], page[-1]["id"]) if len(found) > limit else None
    return page_response("keys", page, position)


@blp.post("/keys")
@signed_in
@limits.changes
@blp.arguments(KeyHeaders, location="headers")
@blp.arguments(NewKeySchema)
@blp.response(201, CreatedKey)
def create(principal: Principal, headers: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
    """Creates a key; the response alone has it. A repeat with the same `Idempotency-Key` creates no other one and is
    409, for nobody can show the key again."""
    seconds = body["expires_in"]
    wanted = api_keys.NewKey(
        name=body["name"],
        scopes=body["scopes"],
        tenant=body.get("tenant", principal.tenant),
        lifetime=None if seconds is None else timedelta(seconds=seconds),
    )
    request_key = key_of(principal, headers)

    def make(remember: Remember) -> dict[str, Any]:
        with services().transaction() as tx:
            row, key = api_keys.create(tx.cur, principal.user_id, wanted)
            trail.record(tx.cur, principal, "key_made", "key", row["id"], note=", ".join(row["scopes"]))
            remember(tx.cur, None, row["id"])
        access_log.concerns(principal.user_id, row["id"])
        return row | {"key": key}

    def replay(result: KeyResult) -> dict[str, Any]:
        raise Conflict(
            f"This request has made the key {result.note}, which was shown once; revoke it, make another"
        )

    return run_once(request_key, make, replay)


@blp.delete("/keys/<uuid:key_id>")
@signed_in
@blp.response(204)
def revoke(principal: Principal, key_id: UUID) -> None:
    """Revokes a key of the caller, or of the tenant that the caller administers. Its open streams are closed."""
    access_log.concerns(principal.user_id, str(key_id))
    with services().transaction() as tx:
        api_keys.revoke(tx.cur, str(key_id), principal)
        trail.record(tx.cur, principal, "key_revoked", "key", str(key_id))
    services()[SignOut].everywhere(str(key_id))
