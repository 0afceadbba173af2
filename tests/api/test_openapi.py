from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api import patient
from tests.api.routes import document, routes
from tests.api.schemas import faults
from tests.support.system import System

EXPECTED = {
    "POST /api/v2/auth/login",
    "POST /api/v2/auth/refresh",
    "POST /api/v2/auth/logout",
    "POST /api/v2/auth/ticket",
    "GET /api/v2/jobs/types",
    "GET /api/v2/jobs/history",
    "POST /api/v2/agent/start",
    "GET /api/v2/agent/active",
    "GET /api/v2/tasks",
    "GET /api/v2/tasks/counts",
    "GET /api/v2/tasks/{task_id}/status",
    "GET /api/v2/tasks/{task_id}/events",
    "GET /api/v2/tasks/{task_id}/logs",
    "GET /api/v2/tasks/{task_id}/logs/download",
    "GET /api/v2/tasks/{task_id}/stream",
    "POST /api/v2/tasks/{task_id}/cancel",
    "POST /api/v2/tasks/{task_id}/retry",
}


@pytest.fixture
def openapi(system: System) -> dict[str, Any]:
    return document(system)


def test_every_call_is_in_the_document(system: System) -> None:
    assert {str(route) for route in routes(system)} >= EXPECTED


def test_all_who_ask_at_first_get_the_whole_document(system: System, openapi: dict[str, Any]) -> None:
    with system.web() as url, ThreadPoolExecutor(4) as askers:
        answers = list(askers.map(patient.get, [f"{url}/api/openapi.json"] * 4))
    assert [answer.json() for answer in answers] == [openapi] * 4


def test_the_document_is_valid(openapi: dict[str, Any]) -> None:
    assert openapi["openapi"] == "3.1.0"
    assert openapi["info"]["title"] and openapi["info"]["version"]
    components = openapi["components"]
    assert [fault for name, schema in components["schemas"].items() for fault in faults(schema, name)] == []
    assert [
        fault
        for path, item in openapi["paths"].items()
        for call in item.values()
        for parameter in (call if isinstance(call, list) else call.get("parameters", ()))
        for fault in faults(parameter["schema"], f"{path} {parameter['name']}")
    ] == []
    for reference in re.findall(r'"\$ref": "#/components/([^"]+)"', json.dumps(openapi)):
        kind, _, name = reference.partition("/")
        assert name in components[kind], reference


def test_every_call_says_what_it_does_answers_and_refuses(openapi: dict[str, Any]) -> None:
    calls = [(path, method, call) for path, item in openapi["paths"].items() for method, call in item.items()]
    for path, method, call in calls:
        if method == "parameters":
            continue
        assert any(status.startswith("2") for status in call["responses"]), (path, method)
        assert {"422", "default"} <= call["responses"].keys(), (path, method)
    problem = openapi["components"]["schemas"]["Problem"]["properties"]
    assert problem.keys() == {"type", "title", "status", "detail", "errors"}


def test_refusals_are_documented_as_what_they_are_sent_as(openapi: dict[str, Any]) -> None:
    for name, response in openapi["components"]["responses"].items():
        assert list(response.get("content", ())) in ([], ["application/problem+json"]), name


def test_the_page_of_the_document_is_guarded_like_the_dashboard(system: System) -> None:
    answer = patient.get(f"{system.url}/api/docs")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "*" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
