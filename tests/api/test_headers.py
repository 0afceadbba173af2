"""What every answer tells a browser not to do."""

from __future__ import annotations

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
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in headers["Permissions-Policy"]
    assert len(headers.get_list("Content-Security-Policy")) == 1


def test_an_address_that_is_none_is_a_page_for_a_person_and_a_problem_for_a_program(system: System) -> None:
    # what Chromium sends for a page
    page = patient.get(
        f"{system.url}/nowhere", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    )
    plain = patient.get(f"{system.url}/nowhere")

    assert page.status_code == plain.status_code == 404
    assert page.headers["Content-Type"].startswith("text/html") and '<div id="app">' in page.text
    problem(plain, 404)
