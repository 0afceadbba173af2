"""REST under /api/v2, one file per resource. The OpenAPI document is made from the declarations."""

from __future__ import annotations

from flask import Flask, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from app.http.openapi import DocumentedApi

BEARER = (
    "An access token, or an API key `trk_…`. The word with each call is the scope that a key needs for it; `session`:"
    " no key may make the call."
)
SHARE = "A share token `trs_…`: it reads one run and the run's children."


def init_app(app: Flask) -> None:
    from app.api import (
        agent,
        auth,
        bulk,
        dialects,
        events,
        external_workers,
        fleet,
        health,
        holds,
        job_history,
        job_list,
        job_stats,
        jobs,
        keys,
        list_choices,
        logs,
        notification_choices,
        notifications,
        outputs,
        queued,
        related,
        retries,
        shares,
        task_details,
        task_histogram,
        task_list,
        task_tree,
        tasks,
        trail,
        views,
        webhooks,
    )
    from app.api.reported_batch import schemas
    from app.http.base import BODY_LIMIT
    from app.realtime import sse

    app.config.update(
        API_TITLE="Taskroom",
        API_VERSION="v2",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "components": {
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer", "description": BEARER},
                    "share": {"type": "http", "scheme": "bearer", "description": SHARE},
                }
            },
            "security": [{"bearer": []}],
        },
    )
    api = DocumentedApi(app)
    for name, schema in schemas().items():
        api.spec.components.schema(name, schema)
    limits = {auth.blp.name: auth.BODY_LIMIT}
    limits |= dict.fromkeys((external_workers.blp.name, events.blp.name), app.config["MAX_CONTENT_LENGTH"])

    # Before all other hooks: the limits of sign-ins read the body.
    @app.before_request
    def refuse_large() -> None:
        """Refuses large bodies, also where none is read: an unread body must be discarded before the next request."""
        if (request.content_length or 0) > limits.get(request.blueprint or "", BODY_LIMIT):
            raise RequestEntityTooLarge

    modules = [
        auth,
        jobs,
        agent,
        task_list,
        list_choices,
        task_histogram,
        task_tree,
        tasks,
        bulk,
        retries,
        related,
        queued,
        task_details,
        external_workers,
        events,
    ]
    modules += [fleet, holds, logs, outputs, job_history, job_list, job_stats, notifications, webhooks, keys]
    modules += [shares, notification_choices, trail, views, sse]
    for module in modules:
        api.register_blueprint(module.blp, url_prefix="/api/v2")
    api.register_blueprint(dialects.blp)
    app.register_blueprint(health.blp)
    with_responses = frozenset(module.blp.name for module in (*modules, dialects, health))

    @app.after_request
    def forbid_caching(response: Response) -> Response:
        """A response must not be shown to the next user of the same machine; streams set the header themselves."""
        if request.blueprint in with_responses and "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response
