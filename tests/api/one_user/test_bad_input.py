"""Whatever body is sent, on whichever route: a 4xx that says what was wrong, never a 500."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api.answers import problem
from tests.api.routes import Route, document, routes
from tests.support.system import System, User

START = "/api/v2/agent/start"
LOGIN = "/api/v2/auth/login"
REJECT = "/api/v2/tasks/{task_id}/reject"
SHARE = "/api/v2/tasks/{task_id}/share"
WRONG: dict[str, tuple[Any, ...]] = {
    "string": (1, [], {}, None, True),
    "object": (1, "text", [], None),
    "integer": ("x", 1.5, [], None),
    "number": ("x", [], {}, None),
    "boolean": ("x", [], {}, None),
    "array": (1, "text", {}, None, True),
}


def with_body(system: System, task: str) -> list[Route]:
    found = [replace(route, path=route.at(task)) for route in routes(system) if route.body]
    assert {route.path for route in found} >= {START, LOGIN}
    return found


def send(
    user: User, to: Route | str, body: str | bytes, content_type: str = "application/json"
) -> httpx.Response:
    method, path = (to.method, to.path) if isinstance(to, Route) else ("POST", to)
    return user.client.request(method, path, content=body, headers={"Content-Type": content_type})


def test_an_unknown_field_is_named(system: System, user: User, task: str) -> None:
    for route in with_body(system, task):
        problem(user.client.request(route.method, route.path, json={"nonsense": 1}), 422, "nonsense")


def test_a_missing_field_is_named(system: System, user: User, task: str) -> None:
    assert {route.path for route in routes(system) if route.body and not route.required} == {REJECT, SHARE}
    for route in (route for route in with_body(system, task) if route.required):
        problem(user.client.request(route.method, route.path, json={}), 422, *route.required)
        problem(send(user, route, ""), 422, *route.required)


def test_no_body_is_as_an_object_without_fields(system: System, user: User, task: str) -> None:
    path = SHARE.format(task_id=task)

    assert [send(user, path, body).status_code for body in ("", "{}")] == [201, 201]
    assert document(system)["paths"][SHARE]["post"]["requestBody"]["required"] is False


def test_a_field_of_the_wrong_type_is_named(system: System, user: User, task: str) -> None:
    for route in with_body(system, task):
        for name, schema in route.body.items():
            kind, *null = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
            for value in WRONG[kind]:
                if value is not None or not null:
                    problem(user.client.request(route.method, route.path, json={name: value}), 422, name)


def test_a_text_beyond_its_limit_is_named(system: System, user: User, task: str) -> None:
    for route in with_body(system, task):
        for name, schema in route.body.items():
            beyond = ["x" * (schema["maxLength"] + 1)] if "maxLength" in schema else []
            beyond += [""] if "minLength" in schema or "enum" in schema else []
            for text in beyond:
                problem(user.client.request(route.method, route.path, json={name: text}), 422, name)


def test_what_is_no_json_object_is_refused(system: System, user: User, task: str) -> None:
    for route in with_body(system, task):
        for body in ("{", "nonsense", '{"a":}', b'{"a":"\xff"}', "\ufeff{}", "{}{}", "\0", "['a']"):
            problem(send(user, route, body), 400, "body")
        for body in ("[]", "null", '"text"', "1"):
            problem(send(user, route, body), 422, "body")


def test_another_content_type_is_415(system: System, user: User, task: str) -> None:
    for route in with_body(system, task):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
            problem(send(user, route, "{}", kind), 415)


def test_a_body_in_chunks_is_refused_not_taken_for_empty(system: System, user: User, task: str) -> None:
    for route in with_body(system, task):
        problem(
            user.client.request(
                route.method, route.path, content=iter([b"{}"]), headers={"Content-Type": "application/json"}
            ),
            411,
        )


def test_a_body_beyond_the_limit_is_413_on_every_route(system: System, user: User, task: str) -> None:
    host, port = str(urlsplit(system.url).hostname), int(urlsplit(system.url).port or 0)
    head = f"Host: x\r\nAuthorization: Bearer {user.token}\r\nContent-Length: 2097153\r\n\r\n"
    for route in (r for r in routes(system) if r.method == "POST"):
        with socket.create_connection((host, port), 60) as line:
            line.sendall(f"POST {route.at(task)} HTTP/1.1\r\n{head}".encode())
            assert line.recv(100).startswith(b"HTTP/1.1 413 "), route
    problem(send(user, START, json.dumps({"job_type": "x" * 2_100_000})), 413)


@pytest.mark.parametrize("path", [START, LOGIN])
@pytest.mark.parametrize("wrap", ["[{}]", '{{"params":{}}}', '{{"job_type":{}}}'])
@pytest.mark.parametrize("depth", [65, 250, 500, 990, 100_000])
def test_deep_nesting_is_refused(user: User, path: str, wrap: str, depth: int) -> None:
    for opening, closing in ("[]", ('{"a":', "}")):
        refused(user, path, wrap.format(opening * depth + "1" + closing * depth))


def refused(user: User, path: str, body: str) -> None:
    """As no JSON; more than 256 KB, at the sign-in 4 KB, are not even looked at."""
    answer = send(user, path, body)
    if len(body) > (4096 if path == LOGIN else 256 * 1024):
        problem(answer, 413)
    else:
        problem(answer, 400, "body")


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400, "9" * 5000, "01", "0x1"]
)
def test_a_number_that_json_does_not_have_is_refused(user: User, number: str) -> None:
    problem(send(user, START, f'{{"job_type":"test_phases","params":{{"count":{number}}}}}'), 400, "body")
    refused(user, LOGIN, f'{{"email":{number},"password":"x"}}')


@pytest.mark.parametrize("number", ["9" * 30, "-" + "9" * 30, "1e300", '"' + "9" * 30 + '"'])
def test_a_number_beyond_64_bits_is_refused(user: User, number: str) -> None:
    answer = problem(send(user, START, f'{{"job_type":"test_phases","params":{{"count":{number}}}}}'), 422)

    assert next(iter(answer["errors"])).startswith("params")


def test_lone_surrogates_are_refused(system: System, user: User, task: str) -> None:
    for route in with_body(system, task):
        for name in route.body:
            problem(send(user, route, f'{{"{name}":"\\ud800"}}'), 400, "body")
        problem(send(user, route, '{"\\ud800":1}'), 400, "body")


def test_nul_is_replaced_or_refused(user: User) -> None:
    login = {"email": "a\0@example.org", "password": "\0"}
    problem(user.client.post(LOGIN, json=login), 401)
    problem(user.client.post(START, json={"job_type": "test_echo\0"}), 422, "job_type")
    problem(user.client.post(START, json={"job_type": "test_echo", "params": {"\0": 1}}), 422)

    made = user.client.post(
        START, json={"job_type": "test_echo", "title": "a\0b", "intent": "\0", "params": {"text": "c\0d"}}
    )

    found = user.finished(made.json()["task_id"])
    assert (found["task"]["title"], found["task"]["intent"]) == ("a\ufffdb", "\ufffd")
    assert found["recent_logs"][-1]["message"] == "c\ufffdd"
