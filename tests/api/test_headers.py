"""What every answer tells a browser not to do."""

from __future__ import annotations

import httpx
import pytest

from tests.api import patient
from tests.api.answers import problem
from tests.support.system import System

PAGES = ("/", "/api/docs", "/api/v2/tasks", "/livez", "/nowhere")


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_policy(system: System, path: str) -> None:
    headers = patient.get(system.url + path).headers

    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert (
        policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["font-src"] == "'self'"
    )
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in headers["Permissions-Policy"]
    assert len(headers.get_list("Content-Security-Policy")) == 1


LIST = ",".join(["a/a"] * 2_000)  # just a line that the server takes


def lines_of(name: str, value: str) -> list[tuple[str, str]]:
    return [(name, value)] * 7  # just what it takes of all headers


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ([("Accept", "text/html")], "text/html"),
        ([("Accept", f"text/html,{LIST[:900]}")], "text/html"),
        ([("Accept", f"text/html,{LIST}")], "application/problem+json"),
        ([("Accept", "text/html"), *lines_of("Accept", LIST)], "application/problem+json"),
    ],
    ids=["plain", "long", "too long", "seven lines"],
)
def test_a_list_of_thousands_is_not_parsed(system: System, headers: list[tuple[str, str]], kind: str) -> None:
    answer = httpx.get(f"{system.url}/nowhere", headers=headers)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith(kind)


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("Accept-Encoding", "br," * 2_000, 200),
        ("Accept-Language", "en," * 2_000, 200),
        ("If-None-Match", '"a",' * 2_000, 200),
        ("Range", "bytes=" + "0-1," * 1_500, 200),
        ("Cookie", "a=;" * 2_000, 431),
        ("X-Forwarded-For", "1.1.1.1," * 900, 431),
        ("X-Anything", "x" * 2_000, 431),
    ],
)
def test_the_lines_of_one_header_are_bounded_together(
    system: System, name: str, value: str, status: int
) -> None:
    answer = httpx.get(f"{system.url}/", headers=lines_of(name, value))

    assert answer.status_code == status
    assert name != "Accept-Encoding" or "Content-Encoding" not in answer.headers
    if status == 431:
        assert problem(answer, 431)["detail"] == f"{name} has more than 8,192 bytes"


@pytest.mark.parametrize("name", [",".join(["x"] * 1_000), "application/json" + ";a=1" * 500])
def test_a_kind_of_body_that_is_too_long_is_none(system: System, name: str) -> None:
    answer = httpx.post(f"{system.url}/api/v2/auth/login", content=b"{}", headers={"Content-Type": name})

    problem(answer, 415)


def test_an_address_that_is_none_is_a_page_for_a_person_and_a_problem_for_a_program(system: System) -> None:
    # what Chromium sends for a page
    page = patient.get(
        f"{system.url}/nowhere", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    )
    plain = patient.get(f"{system.url}/nowhere")

    assert page.status_code == plain.status_code == 404
    assert page.headers["Content-Type"].startswith("text/html") and '<div id="app">' in page.text
    assert problem(plain, 404)["detail"] == "There is nothing at this address; /api/docs has all"
