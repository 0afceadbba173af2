"""``Idempotency-Key``: what a request has made is made once, however often the request comes."""

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
from app.db.statements import Statement, as_text
from app.errors import Conflict, Unavailable, Unprocessable
from app.http.base import json_body
from app.models.accounts import IdempotencyKey
from app.services import services

Answer = TypeVar("Answer")


KEPT = timedelta(hours=24)

_its = IdempotencyKey.user_id == sa.bindparam("user"), IdempotencyKey.key == sa.bindparam("key")
_is_kept = IdempotencyKey.created_at > sa.func.now() - KEPT
_MADE = Statement(
    sa.select(IdempotencyKey.body_hash, *as_text(IdempotencyKey.task_id), IdempotencyKey.made).where(
        *_its, _is_kept
    )
)
_DELETE_EXPIRED = Statement(sa.delete(IdempotencyKey).where(*_its, sa.not_(_is_kept)))
_REMEMBER = Statement(
    sa.insert(IdempotencyKey).values(
        {name: sa.bindparam(name) for name in ("user_id", "key", "body_hash", "task_id", "made")}
    )
)
_FORGET = Statement(sa.delete(IdempotencyKey).where(IdempotencyKey.task_id == sa.bindparam("task")))


class KeyHeaders(ma.Schema):
    class Meta:
        unknown = ma.EXCLUDE

    key = ma.fields.String(data_key="Idempotency-Key", validate=ma.validate.Regexp("^[ -~]{1,200}$"))


class Made(NamedTuple):
    """``task_id`` for a task, whose key goes with it; ``note`` is what else its answer is made from."""

    task_id: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Key:
    """A user's key, for 24 hours, and the digest of the request that it came with."""

    user_id: str
    key: str
    digest: str

    def made(self) -> Made | None:
        """What it made before. Raises Unprocessable when it came with another request."""
        with services().read() as conn, conn.cursor() as cur:
            row = _MADE.execute(cur, user=self.user_id, key=self.key).fetchone()
        if row and row[0] != self.digest:
            raise Unprocessable(
                "This key was used with another body or address",
                errors={"Idempotency-Key": ["Used with another body or address."]},
            )
        return Made(*row[1:]) if row else None

    def remember(self, cur: Cursor, made: Made) -> None:
        """In the transaction that makes it. Raises UniqueViolation when the same request was quicker."""
        _DELETE_EXPIRED.execute(cur, user=self.user_id, key=self.key)
        values = {"body_hash": self.digest, "task_id": made.task_id, "made": made.note}
        _REMEMBER.execute(cur, user_id=self.user_id, key=self.key, **values)


def forget(cur: Cursor, task_id: str) -> None:
    """Lets a request that made this task make another one: the task was given up."""
    _FORGET.execute(cur, task=task_id)


def key_of(principal: Principal, headers: dict[str, str], whole: bool = True) -> Key | None:
    """``whole``: the address counts, which the bodies of starts need not have with them."""
    if "key" not in headers:
        return None
    try:
        body = json_body()
        told = b"" if body is ma.missing else orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    except (ValueError, UnsupportedMediaType):  # sent where none is read
        told = request.get_data()
    address = f"{request.method} {request.path}\n".encode() if whole else b""
    return Key(principal.user_id, headers["key"], hashlib.sha256(address + told).hexdigest())


def run_once(key: Key | None, make: Callable[[], Answer], again: Callable[[Made], Answer]) -> Answer:
    """What ``make`` answers, which remembers the key; ``again`` answers for what the key has made before. Raises
    Unprocessable and Unavailable."""
    if key is None:
        return make()
    made = key.made()
    if made is None:
        try:
            return make()
        except psycopg2.errors.UniqueViolation:  # the same key at the same moment: the other one made it
            made = key.made()
        except Conflict:  # with what the other one has made
            made = key.made()
            if made is None:
                raise
        if made is None:  # and has given it up already
            raise Unavailable("The same request is being given up; try again") from None
    return again(made)
