"""What the caller wants to be told of runs."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.api import limits
from app.auth.principal import Principal
from app.http.base import Blueprint, acting, reading
from app.inbox import choices
from app.inbox.run_notice import CHOICES
from app.services import services
from app.tasks.observed.part import LONGEST_TYPE

blp = Blueprint("notification_choices", __name__, description="Notifications")

_choice = ma.validate.OneOf(CHOICES)
_WHAT = "`all`, `failures` and approvals, `approvals` alone, or `none`"


def _job_type(name: str) -> None:
    if not name.isprintable():
        raise ma.ValidationError("Not printable characters.")


class Choices(ma.Schema):
    default = ma.fields.String(
        required=True, validate=_choice, metadata={"description": f"Of all other job types: {_WHAT}"}
    )
    job_types = ma.fields.Dict(
        keys=ma.fields.String(validate=[ma.validate.Length(1, LONGEST_TYPE), _job_type]),
        values=ma.fields.String(validate=_choice),
        required=True,
        validate=ma.validate.Length(max=choices.MOST),
        metadata={"description": "Of these job types"},
    )


@blp.get("/notifications/choices")
@reading
@blp.response(200, Choices)
def read(principal: Principal) -> dict[str, Any]:
    """Returns what the caller is told of its runs, by job type."""
    with services().read() as conn, conn.cursor() as cur:
        default, job_types = choices.read(cur, principal.user_id)
    return {"default": default, "job_types": job_types}


@blp.put("/notifications/choices")
@acting
@limits.changes
@blp.arguments(Choices)
@blp.response(200, Choices)
def write(principal: Principal, body: dict[str, Any]) -> dict[str, Any]:
    """Sets all choices of the caller; they hold for what happens from now on."""
    with services().transaction() as tx:
        choices.write(tx.cur, principal.user_id, body["default"], body["job_types"])
    return body
