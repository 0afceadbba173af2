"""Events of workers take turns of their own: their bodies are large, and a person may have the same account."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app.api.reporting import reporting
from app.auth import identity, permissions
from app.errors import TooMany
from app.green.unsent import Unsent
from app.http import base
from app.http.concurrency import ReportConcurrency, UserConcurrency
from tests.support.parts import Parts
from tests.support.system import wait_for

TASK = UUID(int=1)


class Sender:
    """A request whose body comes when it is let."""

    def __init__(
        self, app: Flask, user_id: str, view: Callable[..., Any], may_come: bool = True, size: int = 2
    ) -> None:
        self._body = io.BytesIO(b" " * size)
        self.reading, self.may_come, self.answer = threading.Event(), threading.Event(), threading.Event()
        if may_come:
            self.may_come.set()

        def send() -> None:
            environ = {"wsgi.input": self, "CONTENT_LENGTH": str(size), "who": user_id}
            with app.test_request_context("/", method="POST", environ_overrides=environ):
                view(task_id=TASK)
            self.answer.set()

        self.thread = threading.Thread(target=send)
        self.thread.start()

    def read(self, size: int = -1) -> bytes:
        self.reading.set()
        assert self.may_come.wait(60)
        return self._body.read(size)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    app = Flask(__name__)
    app.extensions["taskroom"] = Parts(
        {
            UserConcurrency: UserConcurrency(2),
            ReportConcurrency: ReportConcurrency(2, read=3, stored=1),
            Unsent: SimpleNamespace(wait=lambda key: None),
        }
    )
    who = lambda *_, **__: SimpleNamespace(user_id=base.request.environ["who"])  # noqa: E731
    monkeypatch.setattr(identity, "current", who)
    monkeypatch.setattr(permissions, "reportable_task", lambda principal, task_id: None)
    yield app


def test_bodies_of_one_user_that_come_slowly_hold_up_neither_others_nor_its_person(app: Flask) -> None:
    view = reporting(permissions.reportable_task)(lambda principal, task_id: None)
    slow = [Sender(app, "busy", view, may_come=False) for _ in range(4)]
    wait_for("two are read", lambda: sum(sender.reading.is_set() for sender in slow) == 2)

    other = Sender(app, "other", view)
    person = Sender(app, "busy", base.reading(lambda principal, task_id: None))

    assert other.answer.wait(60) and person.answer.wait(60)
    assert sum(sender.reading.is_set() for sender in slow) == 2, "of one user so many at a time"
    for sender in slow:
        sender.may_come.set()
    for sender in slow:
        assert sender.answer.wait(60)


def test_of_all_so_many_bodies_are_in_memory_and_fewer_are_stored_at_a_time(app: Flask) -> None:
    go, inside = threading.Event(), list[str]()

    def store(principal: Any, task_id: UUID) -> None:
        inside.append(principal.user_id)
        assert go.wait(60)

    view = reporting(permissions.reportable_task)(store)
    senders = [Sender(app, f"user {n}", view) for n in range(5)]
    wait_for("three are read", lambda: sum(sender.reading.is_set() for sender in senders) == 3)
    wait_for("one is stored", lambda: len(inside) == 1)

    reports = app.extensions["taskroom"][ReportConcurrency]
    wait_for("the others wait", lambda: (len(reports._read), len(reports._stored)) == (2, 2))
    assert len(inside) == 1
    go.set()
    for sender in senders:
        assert sender.answer.wait(60)
    assert sum(sender.reading.is_set() for sender in senders) == 5


def test_of_large_bodies_one_is_stored_at_a_time_and_small_ones_beside_it(app: Flask) -> None:
    app.extensions["taskroom"][ReportConcurrency] = ReportConcurrency(2, stored=3)
    go, inside = threading.Event(), list[str]()

    def store(principal: Any, task_id: UUID) -> None:
        inside.append(principal.user_id)
        assert go.wait(60)

    view = reporting(permissions.reportable_task)(store)
    large = [Sender(app, f"large {n}", view, size=256 * 1024 + 1) for n in range(2)]
    reports = app.extensions["taskroom"][ReportConcurrency]
    wait_for("a large one waits", lambda: len(reports._large) == 1)
    small = [Sender(app, f"small {n}", view, size=256 * 1024) for n in range(2)]

    wait_for("the small ones are stored", lambda: len(inside) == 3)
    assert sum(name.startswith("large") for name in inside) == 1
    go.set()
    for sender in (*large, *small):
        assert sender.answer.wait(60)


def test_who_has_too_many_waiting_is_refused(app: Flask) -> None:
    reports = ReportConcurrency(1)
    reports._users = UserConcurrency(1, waiting=0)

    with reports.slot("busy"), pytest.raises(TooMany) as refused, reports.slot("busy"):
        pass

    assert refused.value.headers == {"Retry-After": "1"}
