"""Shares of runs: a token that reads one run and its children, for people and pages without an account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import request, url_for

from app.api import limits
from app.api.idempotency import KeyHeaders, KeyResult, Remember, key_of, run_once
from app.auth import access_log, permissions, shares, trail
from app.auth.principal import Principal
from app.auth.sign_out import SignOut
from app.errors import Conflict
from app.http.base import Blueprint, WholeField, acting, reading
from app.services import services

blp = Blueprint("shares", __name__, description="Shares of runs")

_seconds = ma.validate.Range(int(shares.SHORTEST.total_seconds()), int(shares.LONGEST.total_seconds()))


class NewShare(ma.Schema):
    expires_in = WholeField(
        strict=True,
        load_default=int(shares.USUAL.total_seconds()),
        validate=_seconds,
        metadata={"description": "Seconds"},
    )


class ShareSchema(ma.Schema):
    id = ma.fields.String()
    created_by = ma.fields.String(metadata={"description": "The e-mail address of the account that made it"})
    created_at = ma.fields.String()
    expires_at = ma.fields.String()


class CreatedShare(ShareSchema):
    token = ma.fields.String(metadata={"description": "`trs_…`; it is shown only once"})
    url = ma.fields.String(metadata={"description": "The page of the run, to open in a browser"})
    embed_url = ma.fields.String(metadata={"description": "The same page, for a frame of EMBED_ORIGINS"})


class Shares(ma.Schema):
    shares = ma.fields.List(ma.fields.Nested(ShareSchema))
    embed_origins = ma.fields.List(
        ma.fields.String(), metadata={"description": "The sites that may frame the page of the run"}
    )


@blp.get("/tasks/<uuid:task_id>/shares")
@reading
@blp.response(200, Shares)
def listed(principal: Principal, task_id: UUID) -> dict[str, Any]:
    """Returns the live shares of a task, newest first: all for its owner and its tenant's admins, else those that the
    caller made."""
    name, all = permissions.managed_shares(principal, str(task_id))
    with services().read() as conn, conn.cursor() as cur:
        found = shares.of_task(cur, name, principal.user_id, all)
    return {"shares": found, "embed_origins": services().config.embed_origins}


@blp.post("/tasks/<uuid:task_id>/share")
@reading
@limits.changes
@blp.arguments(KeyHeaders, location="headers")
@blp.arguments(NewShare, required=False)
@blp.response(201, CreatedShare)
def create(
    principal: Principal, headers: dict[str, str], body: dict[str, Any], task_id: UUID
) -> dict[str, Any]:
    """Creates a token that reads this task and its children; the response alone has it. The addresses carry it behind
    `#`, so that no server is sent it with them. A repeat with the same `Idempotency-Key` is 409."""
    name, _ = permissions.changeable_task(principal, str(task_id))
    request_key = key_of(principal, headers)

    def make(remember: Remember) -> dict[str, Any]:
        with services().transaction() as tx:
            row, token = shares.create(tx.cur, principal, name, timedelta(seconds=body["expires_in"]))
            trail.record(tx.cur, principal, "share_made", "task", name, note=f"until {row['expires_at']}")
            remember(tx.cur, None, row["id"])
        access_log.concerns(principal.user_id, share_id=row["id"])
        address = request.host_url.rstrip("/") + url_for("pages.embed", task_id=name) + f"#token={token}"
        return row | {"token": token, "url": address, "embed_url": address}

    def replay(result: KeyResult) -> dict[str, Any]:
        raise Conflict(f"This request has made the share {result.note}, which was shown once; make another")

    return run_once(request_key, make, replay)


@blp.delete("/tasks/<uuid:task_id>/shares/<uuid:share_id>")
@acting
@blp.response(204)
def revoke(principal: Principal, task_id: UUID, share_id: UUID) -> None:
    """Revokes a share that the caller made, or any of a task of the caller, or of the tenant that the caller
    administers. Its open streams are closed."""
    name, all = permissions.managed_shares(principal, str(task_id))
    access_log.concerns(principal.user_id, share_id=str(share_id))
    with services().transaction() as tx:
        shares.revoke(tx.cur, str(share_id), name, principal.user_id, all)
        trail.record(tx.cur, principal, "share_revoked", "task", name)
    services()[SignOut].everywhere(str(share_id))
