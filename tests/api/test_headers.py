"""What every answer tells a browser not to do."""

from __future__ import annotations

import httpx
import pytest

from tests.support.system import System

PAGES = ("/", "/api/docs", "/api/v2/tasks", "/livez", "/nowhere")


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_policy(system: System, path: str) -> None:
    headers = httpx.get(system.url + path).headers

    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in headers["Permissions-Policy"]
    assert len(headers.get_list("Content-Security-Policy")) == 1


def test_a_browser_keeps_to_tls_only_where_cookies_do(system: System, production: str) -> None:
    assert "Strict-Transport-Security" not in httpx.get(f"{system.url}/livez").headers
    assert httpx.get(f"{production}/livez").headers["Strict-Transport-Security"] == "max-age=31536000"
