"""The URLs of older clients: the streams of the table DIALECTS, and other calls."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response, make_response, url_for

from app.api import limits, notifications
from app.api.idempotency import KeyHeaders, key_of
from app.api.starting import declared_type, new_task
from app.auth import permissions
from app.auth.principal import Principal
from app.http.base import Blueprint, starting
from app.http.scopes import declared
from app.realtime.dialects import DIALECTS, Dialect, DialectCodec
from app.realtime.sse import (
    NotificationQuery,
    StreamQuery,
    filter_of,
    refuse_switched_off,
    serve_own,
)
from app.realtime.sse_cursors import resume_cursor
from app.realtime.sse_serve import serve
from app.services import services
from app.stream.codec import Filter
from app.stream.event import Event, task_stream
from app.stream.single_flight import SingleFlight
from app.stream.viewer import Viewer
from app.tasks.fold import TERMINAL
from app.tasks.snapshot import current_status
from app.tasks.user_events import ARTIFACT

blp = Blueprint("dialects", __name__, description="The addresses of older clients")
_status_flight: SingleFlight[Event] = SingleFlight()  # concurrent clients of a task share one query


class Generate(ma.Schema):
    """The fields that older clients send; the job type describes them."""

    artifact_type = ma.fields.String(required=True)
    content = ma.fields.String(required=True)
    options = ma.fields.Dict()
    notebook_id = ma.fields.String(validate=ma.validate.Length(1, 255))


class Generated(ma.Schema):
    job_id = ma.fields.String()


def _add_stream(dialect: Dialect) -> None:
    plain, chunked = DialectCodec(dialect, chunked=False), DialectCodec(dialect, chunked=True)
    only = Filter(dialect.types) if dialect.types else None

    @blp.get(dialect.path, endpoint=dialect.name, strict_slashes=False)
    @declared("read", shared="<uuid:task_id>" in dialect.path)
    @blp.doc(summary=dialect.about)
    @blp.arguments(NotificationQuery if only else StreamQuery, location="query")
    @blp.response(200)
    def stream(query: dict[str, str], task_id: UUID | None = None) -> Response:
        if dialect.switched:
            refuse_switched_off()
        if task_id is None:
            return serve_own(query, only or filter_of(query), (plain, chunked), plain.hello)
        given, state = resume_cursor(query, None), list[Event]()

        def names_of(principal: Principal) -> list[str]:
            return [task_stream(permissions.readable_task(principal, str(task_id)))]

        def cursors_of(names: list[str]) -> list[int | None]:
            if given is not None:
                return [given]
            now = _status_flight(names[0], lambda: current_status(services().read, names[0]))
            if now.decoded()["status"] in TERMINAL:
                return [now.sequence - 1]  # the last event tells the client that the task has ended
            state.append(now)
            return [now.sequence]

        def hello(viewer: Viewer, principal: Principal) -> bytes:
            return plain.frame(state[0]) if state else plain.hello(viewer, principal)

        return serve(names_of, cursors_of, only or filter_of(query), (plain, chunked), hello)


for _dialect in DIALECTS:
    _add_stream(_dialect)

for _path, _route, _view in (
    ("", blp.get, notifications.listed),
    ("unread-count/", blp.get, notifications.unread_count),
    ("<uuid:notification_id>/read/", blp.post, notifications.read),
    ("read-all/", blp.post, notifications.read_all),
):
    _route(f"/api/v1/notifications/{_path}", strict_slashes=False)(_view)


@blp.post("/ai/artifact/generate", strict_slashes=False)
@starting
@limits.starts
@blp.arguments(KeyHeaders, location="headers")
@blp.arguments(Generate)
@blp.alt_response(202, schema=Generated)
def generate(principal: Principal, headers: dict[str, str], body: dict[str, Any]) -> Response:
    """Starts an `artifact` task, as `agent/start` does."""
    key = key_of(principal, headers, whole=False)
    job_id = new_task(principal, declared_type(ARTIFACT), body, key=key, named="")
    return make_response({"job_id": job_id}, 202, {"Location": url_for("tasks.status", task_id=job_id)})
