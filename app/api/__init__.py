"""REST under /api/v2, one file a resource; the OpenAPI document follows from the declarations."""

from __future__ import annotations

from flask import Flask, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from app.http.problems import ProblemApi


def init_app(app: Flask) -> None:
    from app.api import (
        agent,
        auth,
        dialects,
        external,
        health,
        history,
        jobs,
        logs,
        notifications,
        task_details,
        task_list,
        tasks,
        webhooks,
    )
    from app.http.base import BODY_LIMIT
    from app.realtime import sse

    app.config.update(
        API_TITLE="Taskroom",
        API_VERSION="v2",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
            "security": [{"bearer": []}],
        },
    )
    api = ProblemApi(app)
    limits = {auth.blp.name: auth.BODY_LIMIT, external.blp.name: app.config["MAX_CONTENT_LENGTH"]}

    # Before whatever else looks at a request: the limits on sign-ins read who it is from the body.
    @app.before_request
    def refuse_large() -> None:
        """Also where no body is read: what is left unread would have to be read away before the next request."""
        most = limits.get(request.blueprint or "", BODY_LIMIT)
        if (request.content_length or 0) > most:
            raise RequestEntityTooLarge

    modules = (
        auth,
        jobs,
        agent,
        task_list,
        tasks,
        task_details,
        external,
        logs,
        history,
        notifications,
        webhooks,
        sse,
    )
    for module in modules:
        api.register_blueprint(module.blp, url_prefix="/api/v2")
    api.register_blueprint(dialects.blp)
    app.register_blueprint(health.blp)
    answering = frozenset(module.blp.name for module in (*modules, dialects, health))

    @app.after_request
    def keep_nothing(response: Response) -> Response:
        """What one user is answered is not for the next at the same machine; streams say for themselves."""
        if request.blueprint in answering and "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response
