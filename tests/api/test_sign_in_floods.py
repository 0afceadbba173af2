"""What anybody may send to the sign-in: many at once, and much at once."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from argon2.exceptions import VerifyMismatchError
from werkzeug.test import TestResponse

from app.auth import passwords
from tests.api.fakes import FakePostgres
from tests.api.small import small_app
from tests.support.system import wait_for

pytestmark = pytest.mark.slow

LOGIN = "/api/v2/auth/login"
WRONG = {"email": "ann@example.org", "password": "wrong"}


class HeldHasher:
    """Checks nothing, for as long as the test likes, and counts who is at it."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.running = self.most = self.checked = 0
        self._lock = threading.Lock()

    def hash(self, password: str) -> str:
        return "a hash"

    def verify(self, hashed: str, password: str) -> bool:
        with self._lock:
            self.running += 1
            self.checked += 1
            self.most = max(self.most, self.running)
        try:
            assert self.open.wait(60)
            raise VerifyMismatchError
        finally:
            with self._lock:
                self.running -= 1


@pytest.fixture
def hasher(monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldHasher]:
    hasher = HeldHasher()
    monkeypatch.setattr(passwords, "_hasher", hasher)
    yield hasher
    hasher.open.set()


def test_of_150_sign_ins_at_once_two_are_checked_sixteen_wait_and_the_rest_are_503(hasher: HeldHasher):
    app = small_app(FakePostgres())

    def sign_in() -> TestResponse:
        return app.test_client().post(LOGIN, json=WRONG)

    with ThreadPoolExecutor(150) as pool:
        try:
            asked = [pool.submit(sign_in) for _ in range(150)]
            wait_for("132 refusals", lambda: sum(one.done() for one in asked) == 132)
            wait_for("two checks", lambda: hasher.running == 2)
            refused = [one.result() for one in asked if one.done()]
        finally:
            hasher.open.set()
        wait(asked)

    assert {answer.status_code for answer in refused} == {503}
    assert {answer.headers["Retry-After"] for answer in refused} == {"5"}
    assert sorted(one.result().status_code for one in asked) == [401] * 18 + [503] * 132
    assert (hasher.most, hasher.checked) == (2, 18)
    assert sign_in().status_code == 401, "there is room again"


class Unread(io.BytesIO):
    """A body that nobody may read."""

    def read(self, size: int | None = -1) -> bytes:
        pytest.fail("the body was read")

    def readinto(self, buffer: object) -> int:
        pytest.fail("the body was read")

    def readline(self, size: int | None = -1) -> bytes:
        pytest.fail("the body was read")


@pytest.mark.parametrize("what", ["login", "refresh", "logout", "ticket"])
def test_more_than_four_kilobytes_are_refused_unread_where_anybody_may_send_them(what: str):
    answer = (
        small_app(FakePostgres())
        .test_client()
        .post(
            f"/api/v2/auth/{what}",
            input_stream=Unread(b" " * 4097),
            headers={"Content-Length": "4097", "Content-Type": "application/json"},
        )
    )

    assert answer.status_code == 413
    assert answer.content_type == "application/problem+json"


def test_a_sign_in_of_four_kilobytes_is_read():
    body = b'{"email": "ann@example.org", "password": 1' + b" " * 4053 + b"}"
    assert len(body) == 4096

    answer = small_app(FakePostgres()).test_client().post(LOGIN, data=body, content_type="application/json")

    assert answer.status_code == 422 and "password" in answer.get_json()["errors"]
