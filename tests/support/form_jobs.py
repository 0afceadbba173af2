"""Jobs whose parameters are of every kind that a form has a field of its own for."""

from __future__ import annotations

from datetime import date, datetime

from marshmallow import Schema, fields, validate

from workers.progress import job


class Letter(Schema):
    to = fields.String(required=True, metadata={"description": "An address"})
    password = fields.String(load_default="", load_only=True)
    day = fields.Date(load_default=None)
    at = fields.DateTime(load_default=None)


@job("test_letter", params=Letter, title="A letter")
def letter(to: str, password: str, day: date | None, at: datetime | None) -> dict[str, object]:
    """Writes nothing."""
    return {"to": to, "day": str(day), "at": at.isoformat() if at else None, "known": len(password)}


class Parcel(Schema):
    size = fields.String(
        required=True, validate=validate.OneOf(["small", "medium", "large", "more than large"])
    )
    label = fields.String(load_default=None, validate=validate.OneOf(["fragile", "this side up"]))


@job("test_parcel", params=Parcel, title="A parcel")
def parcel(size: str, label: str | None) -> dict[str, object]:
    """Sends nothing."""
    return {"size": size, "label": label}
