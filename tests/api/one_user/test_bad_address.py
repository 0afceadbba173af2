"""Whatever address and parameters are asked for: a 4xx that says what was wrong, never a 500."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.answers import problem
from tests.api.routes import ABSENT, Route, routes
from tests.support.cursors import forged
from tests.support.system import System, User

TASKS = "/api/v2/tasks"


def test_an_unknown_parameter_is_named_on_every_route(system: System, user: User, task: str) -> None:
    for route in routes(system):
        body = {"json": {}} if route.body else {}
        problem(
            user.client.request(route.method, route.at(task), params={"nonsense": 1}, **body), 422, "nonsense"
        )


def test_a_parameter_of_the_wrong_kind_is_named(system: System, user: User, task: str) -> None:
    """An empty one counts as not given: forms and templates send those."""
    whole = ("x", "1.5", "1e3", "1_0", " 1", "٣", "-1", "9" * 30, "9" * 5000, "NaN")
    for route in routes(system):
        for name, schema in route.query.items():
            bad = ["\0"]
            if schema["type"] == "integer":
                bad += whole
                bad += [str(schema["minimum"] - 1), str(schema["maximum"] + 1)]
            if "enum" in schema:
                bad += ["nonsense"]
            if "maxLength" in schema:
                bad += ["x" * (schema["maxLength"] + 1)]
            if schema.get("format") in ("uuid", "date-time"):
                bad += ["nonsense", "2020-13-01T00:00:00Z", "0001-01-01T00:00:00+23:00", "9" * 100]
            for value in bad:
                problem(user.client.request(route.method, route.at(task), params={name: value}), 422, name)


LISTS = TASKS, "/api/v2/jobs/history"


@pytest.mark.parametrize("cursor", ["abc", "é", "====", "W10", "e30", "IiI", "W" * 200])
def test_what_is_no_cursor_is_refused(user: User, cursor: str) -> None:
    for path in LISTS:
        problem(user.client.get(path, params={"cursor": cursor}), 422, "cursor")


@pytest.mark.parametrize(
    "parts",
    [(), (1, 2), ("x", "y"), ("2020-01-01T00:00:00Z", "x"), ("2020-01-01T00:00:00Z",), ("\ud800", ABSENT)]
    + [(None, None), ("infinity", ABSENT), ("99999-01-01", ABSENT), ("0001-01-01T00:00:00+23:59", ABSENT)],
)
def test_a_forged_cursor_is_refused(user: User, parts: tuple[Any, ...]) -> None:
    for path in LISTS:
        problem(user.client.get(path, params={"cursor": forged(path, *parts)}), 422, "cursor")
        right = forged(path, "2020-01-01T00:00:00Z", ABSENT)
        assert user.client.get(path, params={"cursor": right}).status_code == 200


def test_an_address_that_is_not_there_is_404(system: System, user: User) -> None:
    for path in ("/api/v2/nonsense", "/api/nonsense", "/nonsense", "/api/v2/%00", f"{TASKS}/%ff/status"):
        problem(user.client.get(path), 404)
    for route in (r for r in routes(system) if "{task_id}" in r.path):
        for bad in ("nonsense", ABSENT + "0", ABSENT[:-1] + "g", "%00", "' OR 1=1"):
            problem(user.client.request(route.method, route.at(bad)), 404)
        problem(user.client.request(route.method, route.at(ABSENT)), 404)


def test_a_method_that_is_not_there_is_405_and_says_which_are(system: System, user: User, task: str) -> None:
    for route in routes(system):
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - {
            r.method for r in routes_at(system, route.path)
        }:
            answer = user.client.request(method, route.at(task))
            problem(answer, 405)
            assert route.method in answer.headers["Allow"].split(", ")


def routes_at(system: System, path: str) -> list[Route]:
    return [route for route in routes(system) if route.path == path]
