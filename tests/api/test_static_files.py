"""The dashboard's files in the form that the caller takes, as the build left them."""

from __future__ import annotations

import gzip

import httpx
import pytest

from app.http.dashboard import DIST
from tests.support.system import System

SCRIPT = DIST / "client/taskroom.js"
FORMS = {
    "": SCRIPT,
    "gzip": SCRIPT.with_suffix(".js.gz"),
    "br": SCRIPT.with_suffix(".js.br"),
}


def ask(
    system: System, accept: str | None, path: str = "/client/taskroom.js", method: str = "GET", **more: str
) -> tuple[httpx.Response, bytes]:
    """The answer, and its body as it came over the wire."""
    with httpx.Client(base_url=system.url) as client:
        del client.headers["Accept-Encoding"]  # the library names what it can read
        if accept is not None:
            client.headers["Accept-Encoding"] = accept
        with client.stream(method, path, headers=more) as response:
            return response, b"".join(response.iter_raw())


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        (None, ""),
        ("", ""),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("deflate, zstd", ""),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.2, gzip;q=0.8", "gzip"),
        ("gzip;q=0, br;q=0", ""),
        ("*", "br"),
        ("*;q=0", ""),
        ("br;q=0, *", "gzip"),
        ("identity, gzip;q=0.5", ""),
        ("identity;q=0.5, gzip", "gzip"),
        ("gzip;q=nonsense", ""),
    ],
)
def test_the_form_is_the_one_that_was_asked_for(system: System, accept: str | None, encoding: str) -> None:
    response, body = ask(system, accept)

    assert response.status_code == 200
    assert response.headers.get("Content-Encoding", "") == encoding
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["Content-Type"].startswith("text/javascript")
    assert body == FORMS[encoding].read_bytes()
    assert int(response.headers["Content-Length"]) == len(body)


def test_what_was_compressed_is_the_file() -> None:
    assert gzip.decompress(FORMS["gzip"].read_bytes()) == SCRIPT.read_bytes()
    assert len(FORMS["br"].read_bytes()) < len(FORMS["gzip"].read_bytes()) < SCRIPT.stat().st_size / 3


@pytest.mark.parametrize("accept", ["identity", "gzip", "br"])
def test_who_has_this_form_is_told_so(system: System, accept: str) -> None:
    have = ask(system, accept)[0].headers["ETag"]

    response, body = ask(system, accept, **{"If-None-Match": have})

    assert (response.status_code, body) == (304, b"")
    assert response.headers["ETag"] == have and response.headers["Vary"] == "Accept-Encoding"


def test_each_form_has_an_etag_of_its_own(system: System) -> None:
    tags = {accept: ask(system, accept)[0].headers["ETag"] for accept in ("identity", "gzip", "br")}

    assert len(set(tags.values())) == 3
    assert ask(system, "gzip", **{"If-None-Match": tags["br"]})[0].status_code == 200


@pytest.mark.parametrize("accept", ["identity", "gzip", "br"])
def test_a_head_says_what_a_get_would(system: System, accept: str) -> None:
    get, _ = ask(system, accept)
    head, body = ask(system, accept, method="HEAD")

    assert body == b""
    for name in ("Content-Encoding", "Content-Length", "Content-Type", "ETag", "Vary"):
        assert head.headers.get(name) == get.headers.get(name), name


@pytest.mark.parametrize("path", ["/", "/api/docs", "/nowhere"])
def test_pages_come_compressed_too(system: System, path: str) -> None:
    response, body = ask(system, "gzip", path, Accept="text/html")

    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Content-Type"].startswith("text/html")
    assert b'<div id="app">' in gzip.decompress(body)


def test_every_file_of_a_page_is_there_in_all_forms() -> None:
    plain = [p for p in DIST.rglob("*") if p.suffix in (".js", ".css", ".html") and p.stat().st_size > 1000]
    forms = [path.with_name(path.name + ending) for path in plain for ending in (".gz", ".br")]

    assert len(plain) >= 5
    assert [path for path in forms if not path.is_file()] == []


def test_a_form_has_no_address(system: System) -> None:
    name = next((DIST / "assets").glob("*.js")).name

    assert ask(system, "br", f"/assets/{name}")[0].status_code == 200
    assert ask(system, "br", f"/assets/{name}.br")[0].status_code == 404


@pytest.mark.parametrize("name", ["a" * 300, "a" * 4_100, "a/" * 2_000, "%00", "%ff", "..%2f..%2fx", "%0a"])
@pytest.mark.parametrize("path", ["/assets/{}", "/assets/{}.js", "/sdk/{}.whl", "/runs/{}", "/client/{}"])
def test_a_name_that_no_file_can_have_is_not_found(system: System, path: str, name: str) -> None:
    assert httpx.get(system.url + path.format(name)).status_code == 404
