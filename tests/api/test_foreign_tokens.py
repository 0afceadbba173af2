"""Another issuer's token is worth here what one of ours is: it opens, it ends, and what it opened ends with it."""

from __future__ import annotations

import datetime
import ipaddress
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import socketio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.api import patient
from tests.api.answers import problem
from tests.api.waits import LIMIT
from tests.support.issuer import Issuer, KeySet
from tests.support.system import System, User, wait_for
from tests.support.viewers import SocketViewer, SseViewer, Viewer

pytestmark = pytest.mark.slow

TASKS = "/api/v2/tasks"
ROLES: dict[str, Any] = {
    "role_claim": "roles",
    "roles": {"ops": "operator", "boss": "global_admin"},
    "tenant_claim": "org",
}


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture(scope="module")
def second() -> Issuer:
    """Whose keys stand at an address, behind TLS."""
    return Issuer("https://second.example.org", "ES256", "key 2")


@pytest.fixture(scope="module")
def url(
    system: System, issuer: Issuer, second: Issuer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("tls")
    keys = KeySet(second.jwk, tls=certificate(folder))
    setting = json.dumps([issuer.settings(**ROLES), second.settings(jwks_url=keys.url, role="operator")])
    with system.web(
        TASKROOM_ISSUERS=setting, SSL_CERT_FILE=str(folder / "cert.pem"), KEEPALIVE_SECONDS="1"
    ) as url:
        yield url
    keys.close()


def certificate(folder: Path) -> tuple[Path, Path]:
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")]),
    )
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder / "cert.pem", folder / "key.pem"


def get(url: str, token: str, path: str = TASKS) -> httpx.Response:
    return patient.get(url + path, headers={"Authorization": f"Bearer {token}"})


def holder(url: str, token: str) -> User:
    client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    return User("", "", token, client)


@pytest.fixture
def ann(url: str, issuer: Issuer) -> Iterator[User]:
    """An operator by the first issuer's word."""
    user = holder(url, issuer.token(roles=["ops"]))
    yield user
    user.client.close()


def test_somebody_new_is_made_an_account_once(url: str, system: System, issuer: Issuer) -> None:
    who = uuid.uuid4().hex
    tokens = [
        issuer.token(sub=who, email="ann@example.org", email_verified=True, roles=["ops"]) for _ in range(3)
    ]
    ours = system.user()
    system.sql("UPDATE users SET email = %s WHERE id = %s", f"{who}@example.org", ours.id)
    borrowed = issuer.token(email=f"{who}@example.org", email_verified=True)

    assert [get(url, token).status_code for token in (*tokens, borrowed)] == [200] * 4

    rows = system.sql("SELECT role, email, password_hash FROM users WHERE subject = %s", who)
    assert rows == [("operator", "ann@example.org", None)]
    assert get(url, borrowed).json()["tasks"] == [], "the same address is not the same account"
    problem(
        patient.post(f"{url}/api/v2/auth/login", json={"email": "ann@example.org", "password": "None"}), 401
    )
    ours.client.close()


def test_keys_behind_tls_are_fetched_by_the_serving_process(url: str, second: Issuer) -> None:
    assert get(url, second.token()).status_code == 200
    problem(get(url, Issuer(second.name, "ES256", "key 2").token()), 401)
    problem(get(url, Issuer(second.name, "ES256", "unknown").token()), 401)


def test_it_starts_watches_and_carries_role_and_tenant(url: str, issuer: Issuer, ann: User) -> None:
    task_id = ann.start("test_echo")
    ann.finished(task_id)
    viewer = SocketViewer(url, ann, task_id)
    viewer.open(0)
    viewer.control("end")
    viewer.close()
    org = uuid.uuid4().hex
    inside, looker = (holder(url, issuer.token(org=org, roles=roles)) for roles in (["ops"], []))
    theirs = inside.start("test_echo")
    assert looker.get("tasks", scope="tenant")["tasks"][0]["task_id"] == theirs
    problem(looker.client.post(f"{TASKS}/{theirs}/cancel"), 403)
    problem(ann.client.get(f"{TASKS}/{theirs}/status"), 404)
    assert get(url, issuer.token(roles=["boss"]), f"{TASKS}/{theirs}/status").status_code == 200
    for user in (inside, looker):
        user.client.close()


def test_16_signing_out_ends_the_sign_in_and_its_streams(url: str, issuer: Issuer, system: System) -> None:
    who, sid = uuid.uuid4().hex, uuid.uuid4().hex
    mine, same, another = (
        holder(url, issuer.token(sub=who, roles=["ops"], sid=s)) for s in (sid, sid, "another")
    )
    task_id = mine.start("test_outside")
    assert another.get("tasks")
    viewers = [SseViewer(url, same, task_id), SocketViewer(url, mine, task_id)]
    for viewer in viewers:
        viewer.open(0)
        viewer.wait_events(1)

    assert mine.client.post("/api/v2/auth/logout").status_code == 204

    assert all(viewer.closed.wait(LIMIT) for viewer in viewers)
    for user in (mine, same):
        problem(user.client.get(TASKS), 401)
    problem(get(url, issuer.token(sub=who, roles=["ops"], sid=sid)), 401)
    assert another.client.post(f"{TASKS}/{task_id}/cancel").status_code == 202, "that sign-in and no other"
    with system.web(TASKROOM_ISSUERS=json.dumps([issuer.settings(**ROLES)])) as later:
        problem(get(later, mine.token), 401)
    for user in (mine, same, another):
        user.client.close()
    for viewer in viewers:
        viewer.close()


def opened_with_one_that_expires(
    url: str, issuer: Issuer, who: str, task_id: str
) -> tuple[User, list[Viewer]]:
    """Two streams and their holder. The token lives longer each time the machine was too slow to open them."""
    for seconds in (2, 10, 60):
        brief = holder(url, issuer.token(sub=who, roles=["ops"], exp=int(time.time()) + seconds))
        stream, sock = SseViewer(url, brief, task_id), SocketViewer(url, brief, task_id)
        with suppress(socketio.exceptions.SocketIOError):
            stream.open(0)
            sock.open(0)
            if stream.status == 200 and sock.ack["ok"]:
                return brief, [stream, sock]
        stream.close()
        sock.close()
        brief.client.close()
    raise AssertionError("two streams were not opened within a minute")


def test_16_a_token_that_expires_closes_its_stream(url: str, issuer: Issuer) -> None:
    who = uuid.uuid4().hex
    long = holder(url, issuer.token(sub=who, roles=["ops"]))
    task_id = long.start("test_outside")

    brief, viewers = opened_with_one_that_expires(url, issuer, who, task_id)

    for viewer in viewers:
        assert viewer.closed.wait(2 * LIMIT)
        viewer.control("token_expired")
        viewer.close()
    problem(brief.client.get(TASKS), 401)
    for user in (long, brief):
        user.client.close()


def test_16_a_newer_token_with_another_role_ends_what_older_ones_opened(url: str, issuer: Issuer) -> None:
    who, now = uuid.uuid4().hex, int(time.time())
    old, older = (
        holder(url, issuer.token(sub=who, roles=["ops"], sid="s", iat=now - age)) for age in (10, 20)
    )
    task_id = old.start("test_outside")
    viewer = SseViewer(url, old, task_id)
    viewer.open(0)
    viewer.wait_events(1)

    lower = holder(url, issuer.token(sub=who, sid="s", iat=now - 5))

    problem(lower.client.post("/api/v2/agent/start", json={"job_type": "test_echo"}), 403)
    assert viewer.closed.wait(LIMIT)
    wait_for("the refusal", lambda: old.client.get(TASKS).status_code == 401, LIMIT)
    problem(older.client.get(TASKS), 401)
    assert lower.client.get(TASKS).status_code == 200, "an older token does not bring the old role back"
    viewer.close()
    back = holder(url, issuer.token(sub=who, roles=["ops"], sid="t"))
    assert back.client.post(f"{TASKS}/{task_id}/cancel").status_code == 202
    for user in (old, older, lower, back):
        user.client.close()


def test_a_socket_takes_no_token_that_says_something_else_of_its_user(url: str, issuer: Issuer) -> None:
    who, now = uuid.uuid4().hex, int(time.time())
    claims = {"sub": who, "roles": ["ops"], "org": "acme"}
    mine = holder(url, issuer.token(iat=now - 5, **claims))
    viewer = SocketViewer(url, mine, mine.start("test_echo"))
    viewer.connect()
    again, other = issuer.token(iat=now - 5, **claims), issuer.token(iat=now, **claims | {"org": "other"})

    assert viewer.client.call("refresh_token", {"token": again}, timeout=60)["ok"]
    ack = viewer.client.call("refresh_token", {"token": other}, timeout=60)

    assert (ack["ok"], ack["error"]["status"]) == (False, 401)
    assert viewer.closed.wait(LIMIT), "the newer token ends what was joined with the older one's rights"
    viewer.close()
    mine.client.close()


def test_a_ticket_for_such_a_token_opens_one_stream(url: str, ann: User) -> None:
    task_id = ann.start("test_echo")
    ann.finished(task_id)
    ticket = {"ticket": ann.client.post("/api/v2/auth/ticket").json()["ticket"]}

    assert patient.get(f"{url}{TASKS}/{task_id}/stream", params=ticket).status_code == 200
    problem(patient.get(f"{url}{TASKS}/{task_id}/stream", params=ticket), 401)


def test_15_forged_tokens_open_neither_rest_nor_socket(url: str, issuer: Issuer, system: System) -> None:
    for token in (
        Issuer(issuer.name).token(roles=["boss"]),
        issuer.token(aud="elsewhere"),
        issuer.token(exp=int(time.time()) - 1),
        issuer.token(iss="https://unknown.example.org"),
    ):
        problem(get(url, token), 401)
        client = socketio.Client(reconnection=False)
        with pytest.raises(socketio.exceptions.ConnectionError):
            client.connect(url, auth={"token": token}, transports=["websocket"], wait_timeout=60)
    problem(get(system.url, issuer.token()), 401)  # where no issuer is configured


def test_a_wrong_setting_keeps_the_process_from_starting_and_says_why(system: System, issuer: Issuer) -> None:
    setting = json.dumps([issuer.settings(algorithm="HS256")])

    with pytest.raises(AssertionError) as error, system.web(TASKROOM_ISSUERS=setting):
        pass

    assert "taskroom: TASKROOM_ISSUERS[0] algorithm" in str(error.value)
