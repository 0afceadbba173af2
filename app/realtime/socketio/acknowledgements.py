"""Acknowledges the events of sockets: each is validated, and a refusal is an acknowledgement, never an exception."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import marshmallow as ma
from flask import request

from app.auth import access_log
from app.errors import Conflict, Problem, TooMany, Unavailable, Unprocessable
from app.errors.frames import drop_frames
from app.errors.survived import survived
from app.green.turn import LoopTurn
from app.http.base import refuse_many_fields
from app.http.problems import fields, problem_of
from app.observability import log_format
from app.realtime.socketio.rooms import Handler, SocketClient

logger = logging.getLogger("taskroom.sockets")

MAX_ASKING = 128  # events of one socket that are answered at a time; most of them wait for Postgres


def acknowledged(
    name: str, schema: ma.Schema, handler: Handler, client_of: Callable[[str], SocketClient | None]
) -> Callable[..., dict[str, Any]]:
    """Wraps the handler of an event, whose result is the acknowledgement."""

    def handle(*args: Any) -> dict[str, Any]:
        LoopTurn.give_way()
        with log_format.request(request.environ.get(log_format.REQUEST_ID)):
            return answer(*args)

    def answer(*args: Any) -> dict[str, Any]:
        try:
            client = client_of(request.sid)  # type: ignore[attr-defined]
            if client is None:
                raise Conflict("The socket has gone")
            access_log.concerns_caller(client.principal)
            if len(args) != 1 or not isinstance(args[0], dict):
                raise Unprocessable("Send one object")
            if client.asking >= MAX_ASKING:
                raise TooMany(f"A socket asks {MAX_ASKING} things at a time at most")
            client.asking += 1
            try:
                refuse_many_fields(args[0], schema)
                return handler(client, schema.load(args[0]))
            finally:
                client.asking -= 1
        except ma.ValidationError as error:
            drop_frames(error)
            return _refusal(Unprocessable("Refused", errors=fields(error.messages)))
        except Exception as error:
            problem = problem_of(error)
            if problem is error:
                access_log.event_refused(name, problem)
            elif not isinstance(problem, Unavailable):
                survived(logger, error, "%s of a socket failed", name)
            drop_frames(error)
            return _refusal(problem)

    return handle


def _refusal(problem: Problem) -> dict[str, Any]:
    error: dict[str, Any] = {"status": problem.status, "title": problem.title, "detail": problem.detail}
    if problem.errors:
        error["errors"] = problem.errors
    return {"ok": False, "error": error}
