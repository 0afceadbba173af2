"""Serves the files of the dashboard and the wheel of the package, and adds the security headers of all responses."""

from __future__ import annotations

import mimetypes
import os.path
from collections.abc import Sequence
from pathlib import Path

from flask import Blueprint, Flask, Response, request, send_from_directory
from werkzeug.datastructures import Accept
from werkzeug.exceptions import HTTPException

from app.errors import NotFound
from app.errors.frames import drop_frames
from app.http.problems import problem_response

blp = Blueprint("pages", __name__)

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "static" / "dist"
WHEELS = ROOT / "sdk" / "dist"
ENCODINGS = {"br": "br", "gzip": "gz"}  # the build writes these beside each file that they make smaller
YEAR = 365 * 24 * 3600
mimetypes.add_type("font/woff2", ".woff2")  # Python knows it from 3.14 on, and some systems not at all
# The default refuses everything; data: is for the favicon that shows the state.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Only where cookies need TLS: with this header a browser refuses the host's http:// addresses for a year.
STRICT_TRANSPORT = {"Strict-Transport-Security": f"max-age={YEAR}"}


@blp.get("/")
@blp.get("/login")
@blp.get("/runs/<uuid:task_id>")
@blp.get("/runs/<uuid:task_id>/compare")
@blp.get("/jobs")
@blp.get("/jobs/<path:job_type>")
@blp.get("/workers")
@blp.get("/settings/keys")
@blp.get("/settings/notifications")
@blp.get("/settings/webhooks")
@blp.get("/trail")
def page(task_id: object = None, job_type: str = "") -> Response:
    return _file("index.html", 0)


@blp.get("/embed/runs/<uuid:task_id>")
def embed(task_id: object) -> Response:
    """Serves the page of one run for people with a share token, also in a frame of another site."""
    return _file("embed.html", 0)


@blp.get("/api/docs")
def docs() -> Response:
    """Serves the OpenAPI document as a page."""
    return _file("docs.html", 0)


@blp.get("/assets/<path:name>")
def asset(name: str) -> Response:
    """Serves a file whose name has the hash of its content, so that it never changes."""
    if name.endswith(tuple(f".{ending}" for ending in ENCODINGS.values())):
        raise NotFound("There is no such file")  # a compressed form is served under the name of its file
    return _file(f"assets/{name}", YEAR)


@blp.get("/client/taskroom.js")
@blp.get("/client/element.js")
def client() -> Response:
    """Serves the client of docs/client.md and the element of docs/embed.md. Their URLs never change: browsers ask each
    time, and get 304."""
    return _file(request.path.removeprefix("/"), 0)


@blp.get("/sdk/<name>")
def wheel(name: str) -> Response:
    """Serves the wheel of the package `taskroom`, in the version of this server: `pip install` takes its URL."""
    if not name.endswith(".whl") or not _is_file(WHEELS / name):
        raise NotFound("There is no such wheel; script/up builds that of its version")
    return send_from_directory(WHEELS, name, max_age=0)


@blp.get("/favicon.svg")
def favicon() -> Response:
    return _file("favicon.svg", YEAR)


def _file(name: str, max_age: int, conditional: bool = True) -> Response:
    if not (DIST / "index.html").is_file():
        raise NotFound("The dashboard is not built; script/up builds it")
    found = [coding for coding in ENCODINGS if _is_file(DIST / f"{name}.{ENCODINGS[coding]}")]
    coding = _preferred(found)
    made = f"{name}.{ENCODINGS[coding]}" if coding else name
    # The ETag contains the path: each compressed form has its own.
    response = send_from_directory(
        DIST, made, mimetype=mimetypes.guess_type(name)[0], max_age=max_age, conditional=conditional
    )
    if coding:
        response.headers["Content-Encoding"] = coding
    if found:
        response.vary.add("Accept-Encoding")
    return response


def _is_file(path: Path) -> bool:
    """Whether the path is a file. ``Path.is_file`` raises for a name that is too long, which clients can send."""
    return os.path.isfile(path)  # noqa: PTH113


def _preferred(offered: list[str]) -> str | None:
    """Returns the encoding that the request prefers, the first of equals; None for none or without a header."""
    accepted = request.accept_encodings
    best = max(offered, key=lambda coding: accepted[coding], default="")
    # `identity` counts only where the header names it: otherwise a named encoding has precedence.
    return best if best and accepted[best] > 0 and accepted[best] >= _named(accepted, "identity") else None


def _named(accepted: Accept, coding: str) -> float:
    return max((quality for name, quality in accepted if name.lower() == coding), default=0.0)


def init_app(app: Flask, embed_origins: Sequence[str]) -> None:
    """``embed_origins``: the sites that may frame ``embed``."""
    app.register_blueprint(blp)

    @app.errorhandler(404)
    def not_found(error: HTTPException) -> Response:
        """Serves a browser the dashboard's page, and a program problem+json."""
        drop_frames(error)
        offers = ("application/problem+json", "application/json", "text/html")
        built = (DIST / "index.html").is_file()
        if built and request.method == "GET" and request.accept_mimetypes.best_match(offers) == "text/html":
            # Ignores Range and If-None-Match, which concern the missing file.
            response = _file("index.html", 0, conditional=False)
            response.status_code = 404
            return response
        return problem_response(404, NotFound.title, "There is nothing at this address; /api/docs has all")

    headers = HEADERS | (STRICT_TRANSPORT if app.config["JWT_COOKIE_SECURE"] else {})
    of_embed = headers | _embed_headers(embed_origins)

    @app.after_request
    def add_headers(response: Response) -> Response:
        # No other code sets these; checking each would take longer.
        response.headers.extend(of_embed if request.endpoint == "pages.embed" else headers)
        return response


def _embed_headers(origins: Sequence[str]) -> dict[str, str]:
    """Returns the headers of the page that these sites may frame. It sends no form, and no site learns its address."""
    ancestors = " ".join(origins) or "'none'"
    policy = POLICY.replace("form-action 'self'", "form-action 'none'")
    policy = policy.replace("frame-ancestors 'none'", f"frame-ancestors {ancestors}")
    return {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
