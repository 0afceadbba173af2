"""The dashboard's files, and the headers that keep a browser from doing more than it should."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from flask import Blueprint, Flask, Response, request, send_from_directory
from werkzeug.datastructures import Accept
from werkzeug.exceptions import HTTPException

from app.errors import NotFound
from app.http.problems import answer

blp = Blueprint("pages", __name__)

DIST = Path(__file__).resolve().parents[2] / "static" / "dist"
ENCODINGS = {"br": "br", "gzip": "gz"}  # the build leaves these beside each file that gains by them
YEAR = 365 * 24 * 3600
HEADERS = {
    # What is not named is refused; data: is the favicon that shows the state.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Only where cookies travel by TLS alone: a browser would refuse this host's plain address for a year.
STRICT_TRANSPORT = {"Strict-Transport-Security": f"max-age={YEAR}"}


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
    if name.endswith(tuple(f".{ending}" for ending in ENCODINGS.values())):
        raise NotFound("There is no such file")  # it goes out under the name of what it is a form of
    return _file(f"assets/{name}", YEAR)


@blp.get("/client/taskroom.js")
def client() -> Response:
    """docs/client.md. Its address never changes, so it is asked for each time, and answered 304."""
    return _file("client/taskroom.js", 0)


@blp.get("/favicon.svg")
def favicon() -> Response:
    return _file("favicon.svg", YEAR)


def _file(name: str, max_age: int, conditional: bool = True) -> Response:
    if not (DIST / "index.html").is_file():
        raise NotFound("The dashboard is not built; script/up builds it")
    found = [coding for coding in ENCODINGS if (DIST / f"{name}.{ENCODINGS[coding]}").is_file()]
    coding = _preferred(found)
    made = f"{name}.{ENCODINGS[coding]}" if coding else name
    # Each form has an ETag of its own, for its path is part of it.
    response = send_from_directory(
        DIST, made, mimetype=mimetypes.guess_type(name)[0], max_age=max_age, conditional=conditional
    )
    if coding:
        response.headers["Content-Encoding"] = coding
    if found:
        response.vary.add("Accept-Encoding")
    return response


def _preferred(offered: list[str]) -> str | None:
    """The one that the request likes best, the first of equals; None: as it is, also for who names none at all."""
    accepted = request.accept_encodings
    best = max(offered, key=lambda coding: accepted[coding], default="")
    # `identity` counts only where it is named: it is taken for granted, so what else is asked for comes first.
    return best if best and accepted[best] > 0 and accepted[best] >= _named(accepted, "identity") else None


def _named(accepted: Accept, coding: str) -> float:
    return max((quality for name, quality in accepted if name.lower() == coding), default=0.0)


def init_app(app: Flask) -> None:
    app.register_blueprint(blp)

    @app.errorhandler(404)
    def nowhere(error: HTTPException) -> Response:
        """A person gets the page that leads back, a program the problem."""
        offers = ("application/problem+json", "application/json", "text/html")
        built = (DIST / "index.html").is_file()
        if built and request.method == "GET" and request.accept_mimetypes.best_match(offers) == "text/html":
            # Whole, whatever part or version was asked for of what is not there.
            response = _file("index.html", 0, conditional=False)
            response.status_code = 404
            return response
        return answer(404, NotFound.title, error.description or "")

    headers = HEADERS | (STRICT_TRANSPORT if app.config["JWT_COOKIE_SECURE"] else {})

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers.extend(headers)  # nobody else sets one, and looking for each takes longer
        return response
