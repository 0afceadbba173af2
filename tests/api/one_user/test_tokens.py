"""Forged and borrowed tokens, on every route of the OpenAPI document."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.api import patient
from tests.api.answers import problem
from tests.api.routes import Route, routes
from tests.support.system import PASSWORD, SECRET, System, User, wait_for

OPEN = {"/api/v2/auth/login"}


def claims_of(user: User, **changes: Any) -> dict[str, Any]:
    claims = jwt.decode(user.token, options={"verify_signature": False}) | changes
    return {name: value for name, value in claims.items() if value is not None}


def signed(claims: dict[str, Any], key: Any = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key, algorithm=algorithm)


def rsa_key() -> bytes:
    return rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


FORGED: dict[str, Callable[[User], str]] = {
    "alg none": lambda user: signed(claims_of(user), None, "none"),
    "alg none, keeping the signature": lambda user: (
        signed(claims_of(user), None, "none") + user.token.rpartition(".")[2]
    ),
    "HS512": lambda user: signed(claims_of(user), SECRET * 2, "HS512"),
    "HS512 with the right key": lambda user: signed(claims_of(user), SECRET + " " * 32, "HS512"),
    "RS256": lambda user: signed(claims_of(user), rsa_key(), "RS256"),
    "wrong key": lambda user: signed(claims_of(user), "not the key " * 4),
    "wrong audience": lambda user: signed(claims_of(user, aud="elsewhere")),
    "no audience": lambda user: signed(claims_of(user, aud=None)),
    "wrong issuer": lambda user: signed(claims_of(user, iss="elsewhere")),
    "no issuer": lambda user: signed(claims_of(user, iss=None)),
    "expired": lambda user: signed(claims_of(user, exp=int(time.time()) - 1)),
    "not valid yet": lambda user: signed(claims_of(user, nbf=int(time.time()) + 600)),
    "no expiry": lambda user: signed(claims_of(user, exp=None)),
    "refresh": lambda user: signed(claims_of(user, type="refresh")),
    "no session": lambda user: signed(claims_of(user, sid=None)),
    "a session that is no UUID": lambda user: signed(claims_of(user, sid="'; --")),
    "a session with NUL": lambda user: signed(claims_of(user, sid="\0")),
    "no role": lambda user: signed(claims_of(user, role=None)),
    "an object for a role": lambda user: signed(claims_of(user, role={"a": 1})),
    "no address": lambda user: signed(claims_of(user, email=None)),
    "a subject that is no UUID": lambda user: signed(claims_of(user, sub="'; --")),
    "an object for a subject": lambda user: signed(claims_of(user, sub={"a": 1})),
    "garbage": lambda user: "garbage",
    "dots": lambda user: "..",
    "latin letters beyond ASCII": lambda user: user.token + "é",
    "very long": lambda user: "a" * 7000,
}


def ask(system: System, route: Route, task: str, **kwargs: Any) -> httpx.Response:
    body = {"json": {"job_type": "test_echo"}} if route.body else {}
    return patient.request(route.method, system.url + route.at(task), **body, **kwargs)


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_401_in_header_and_cookie(system: System, user: User, name: str) -> None:
    token = FORGED[name](user).encode("latin-1")

    problem(patient.get(system.url + "/api/v2/tasks", headers={"Authorization": b"Bearer " + token}), 401)
    problem(
        patient.get(system.url + "/api/v2/tasks", headers={"Cookie": b"access_token_cookie=" + token}), 401
    )


def test_the_same_claims_with_the_right_key_are_let_in(system: System, user: User) -> None:
    """Otherwise the forgeries above might be refused for a mistake of the test's."""
    bearer = {"Authorization": f"Bearer {signed(claims_of(user))}"}

    assert patient.get(system.url + "/api/v2/tasks", headers=bearer).status_code == 200


def test_every_route_refuses_a_forged_token_and_none(system: System, user: User, task: str) -> None:
    forged = {"Authorization": f"Bearer {FORGED['wrong key'](user)}"}
    closed = [route for route in routes(system) if route.path not in OPEN]

    assert closed
    for route in closed:
        problem(ask(system, route, task), 401)
        problem(ask(system, route, task, headers=forged), 401)


def test_a_real_refresh_token_is_no_access_token(system: System, user: User, task: str) -> None:
    login = patient.post(f"{system.url}/api/v2/auth/login", json={"email": user.email, "password": PASSWORD})
    refresh = login.cookies["refresh_token_cookie"]

    for route in (r for r in routes(system) if "/auth/" not in r.path):
        problem(ask(system, route, task, headers={"Authorization": f"Bearer {refresh}"}), 401)
        problem(ask(system, route, task, cookies={"access_token_cookie": refresh}), 401)


def test_what_is_somebody_elses_is_404_as_if_it_were_not_there(
    system: System, task: str, other: User
) -> None:
    foreign = [route for route in routes(system) if "{task_id}" in route.path]

    assert foreign
    for route in foreign:
        theirs = problem(other.client.request(route.method, route.at(task)), 404)
        absent = problem(other.client.request(route.method, route.at(str(uuid.uuid4()))), 404)
        assert theirs == absent, route


def test_a_global_admin_sees_the_tasks_of_all(system: System, task: str) -> None:
    admin = system.user("global_admin")

    assert admin.status(task)["task"]["task_id"] == task
    assert admin.get("tasks") == {"tasks": [], "next": None}, "the list stays the caller's own"
    admin.client.close()


def test_no_token_reaches_a_log(system: System, user: User, task: str) -> None:
    ticket = user.client.post("/api/v2/auth/ticket").json()["ticket"]
    patient.get(f"{system.url}/api/v2/tasks/{task}/stream", params={"ticket": ticket})
    user.client.get("/api/v2/tasks", params={"ticket": user.token})
    logs = wait_for("log files", lambda: list(system.home.glob("*.log")))

    written = "".join(path.read_text(errors="replace") for path in logs)
    assert ticket not in written
    assert user.token not in written
    assert PASSWORD not in written
