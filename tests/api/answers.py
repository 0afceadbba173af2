"""What every refusal looks like, whatever refused."""

from __future__ import annotations

from typing import Any

import httpx


def problem(response: httpx.Response, status: int, *fields: str) -> dict[str, Any]:
    """The problem (RFC 9457) that this answer is. AssertionError unless it has the status and the fields."""
    assert response.status_code == status, (response.request.url, response.status_code, response.text[:500])
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body.keys() - {"errors", "next_batch"} == {"type", "title", "status", "detail"}, body
    assert body["status"] == status
    assert body["title"] and body["detail"]
    errors = body.get("errors", {})
    assert all(isinstance(text, str) for texts in errors.values() for text in texts), errors
    assert set(fields) <= set(errors), f"{fields} not named in {errors}"
    return body
