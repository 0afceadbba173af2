"""``Idempotency-Key``: a request that is sent again does not create a second object."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple, TypeVar

import marshmallow as ma
import orjson
import psycopg2.errors
import sqlalchemy as sa
from flask import request
from psycopg2.extensions import cursor as Cursor
from werkzeug.exceptions import UnsupportedMediaType

from app.auth.principal import Principal
from app.db.statements import Statement, as_text, parameters
from app.errors import Conflict, Unavailable, Unprocessable
from app.http.json_body import json_body
from app.models.accounts import IdempotencyKey
from app.services import services

Result = TypeVar("Result")

KEPT = timedelta(hours=24)

_its = IdempotencyKey.user_id == sa.bindparam("user"), IdempotencyKey.key == sa.bindparam("key")
_is_kept = IdempotencyKey.created_at > sa.func.now() - KEPT
_RESULT = Statement(
    sa.select(IdempotencyKey.body_hash, *as_text(IdempotencyKey.task_id), IdempotencyKey.note).where(
        *_its, _is_kept
    )
)
_DELETE_EXPIRED = Statement(sa.delete(IdempotencyKey).where(*_its, sa.not_(_is_kept)))
_REMEMBER = Statement(
    sa.insert(IdempotencyKey).values(parameters("user_id", "key", "body_hash", "task_id", "note"))
)
_FORGET = Statement(sa.delete(IdempotencyKey).where(IdempotencyKey.task_id == sa.bindparam("task")))


class KeyHeaders(ma.Schema):
    class Meta:
        unknown = ma.EXCLUDE

    key = ma.fields.String(data_key="Idempotency-Key", validate=ma.validate.Regexp("^[ -~]{1,200}$"))


class KeyResult(NamedTuple):
    """``task_id`` is the created task, with which its key is deleted; ``note`` has other data for the response."""

    task_id: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a user, valid for 24 hours, and the digest of its request."""

    user_id: str
    key: str
    digest: str

    def result(self) -> KeyResult | None:
        """Returns the result of an earlier request. Raises Unprocessable when that was another request."""
        with services().read() as conn, conn.cursor() as cur:
            row = _RESULT.execute(cur, user=self.user_id, key=self.key).fetchone()
        if row and row[0] != self.digest:
            raise Unprocessable(
                "This key was used with another body or address",
                errors={"Idempotency-Key": ["Used with another body or address."]},
            )
        return KeyResult(*row[1:]) if row else None

    def remember(self, cur: Cursor, task_id: str | None, note: str | None = None) -> None:
        """Stores the result in the transaction that creates it. Raises UniqueViolation when a concurrent repeat did."""
        _DELETE_EXPIRED.execute(cur, user=self.user_id, key=self.key)
        values = {"body_hash": self.digest, "task_id": task_id, "note": note}
        _REMEMBER.execute(cur, user_id=self.user_id, key=self.key, **values)


def forget(cur: Cursor, task_id: str) -> None:
    """Deletes the task's key: the task was abandoned, and a repeat of its request must create another task."""
    _FORGET.execute(cur, task=task_id)


def key_of(principal: Principal, headers: dict[str, str], whole: bool = True) -> Key | None:
    """Returns the request's key. ``whole``: the digest includes method and path; starts at any URL are the same."""
    if "key" not in headers:
        return None
    try:
        body = json_body()
        content = b"" if body is ma.missing else orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    except (ValueError, UnsupportedMediaType):  # a body that the call does not read
        content = request.get_data()
    address = f"{request.method} {request.path}\n".encode() if whole else b""
    return Key(principal.user_id, headers["key"], hashlib.sha256(address + content).hexdigest())


Remember = Callable[..., None]
"""Stores the result of a request, as ``Key.remember`` does; nothing for a request without a key."""


def run_once(
    key: Key | None, make: Callable[[Remember], Result], replay: Callable[[KeyResult], Result]
) -> Result:
    """Returns the result of ``make``, which remembers it; for a repeat, the result of ``replay``. Raises Unprocessable
    and Unavailable."""
    if key is None:
        return make(lambda *_: None)
    result = key.result()
    if result is None:
        try:
            return make(key.remember)
        except psycopg2.errors.UniqueViolation:  # a concurrent request with the same key has created it
            result = key.result()
        except Conflict:  # perhaps with the object of a concurrent repeat
            result = key.result()
            if result is None:
                raise
        if result is None:  # the concurrent request has abandoned its task
            raise Unavailable("The same request is being abandoned; try again") from None
    return replay(result)
