"""The dashboard's files, and the headers that keep a browser from doing more than it should."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, Response, send_from_directory

from app.errors import NotFound

blp = Blueprint("pages", __name__)

DIST = Path(__file__).resolve().parent.parent / "static" / "dist"
YEAR = 365 * 24 * 3600
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    " object-src 'none'; img-src 'self' data:",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@blp.get("/")
@blp.get("/login")
@blp.get("/runs/<uuid:task_id>")
def page(task_id: object = None) -> Response:
    return _file("index.html", 0)


@blp.get("/api/docs")
def docs() -> Response:
    """The OpenAPI document as a page."""
    return _file("docs.html", 0)


@blp.get("/assets/<path:name>")
def asset(name: str) -> Response:
    """Named by their content, so they never change."""
    return _file(f"assets/{name}", YEAR)


@blp.get("/favicon.svg")
def favicon() -> Response:
    return _file("favicon.svg", YEAR)


def _file(name: str, max_age: int) -> Response:
    if not (DIST / "index.html").is_file():
        raise NotFound("The dashboard is not built; script/up builds it")
    return send_from_directory(DIST, name, max_age=max_age)


def init_app(app: Flask) -> None:
    app.register_blueprint(blp)

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers.extend(HEADERS)  # nobody else sets one, and looking for each takes longer
        return response
