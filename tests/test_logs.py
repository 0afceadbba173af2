"""Log lines: whose they are, one a record, and nothing in them that would let a reader in."""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from app.config import Config
from app.errors import ConfigurationError
from app.http.requests import HEADER, with_request_id
from app.observability import log_format
from app.observability.log_format import formatter
from tests.support.line import TcpProxy
from tests.support.system import SECRET, System, User
from tests.support.viewers import SocketViewer, SseViewer

pytestmark = pytest.mark.slow

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


def record(message: str, *values: object, error: Exception | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("taskroom.x", logging.WARNING, "x.py", 1, message, values, info)


@pytest.fixture
def in_request() -> Iterator[str]:
    log_format.request_id.set("r-1")
    yield "r-1"
    log_format.request_id.set(None)


def test_an_object_a_line_says_whose_it_is(in_request: str) -> None:
    with log_format.task(task_id="t", job_type="resize", attempt=2):
        line = orjson.loads(formatter(json=True).format(record("two\nlines of %s", "it")))

    assert line["message"] == "two\nlines of it"
    assert (line["level"], line["logger"]) == ("WARNING", "taskroom.x")
    assert (line["request_id"], line["task_id"], line["job_type"], line["attempt"]) == (
        "r-1",
        "t",
        "resize",
        2,
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", line["time"])
    assert "task_id" not in orjson.loads(formatter(json=True).format(record("after it")))


def test_a_line_for_people_says_it_too_and_no_text_makes_up_another(in_request: str) -> None:
    line = formatter(json=False).format(record("503 for %s", "/x\r\n2030-01-01 WARNING forged"))

    assert line.endswith("503 for /x\\r\\n2030-01-01 WARNING forged [request_id=r-1]")
    assert "\n" not in line


@pytest.mark.parametrize("json", [True, False])
def test_secrets_are_struck_out_and_what_is_left_can_be_read(json: bool) -> None:
    try:
        raise ValueError(f'cannot read "{TOKEN}" in "/stream?ticket=abc"')
    except ValueError as error:
        text = formatter(json).format(record("%s with lone \udcff", f'"?ticket=abc" {TOKEN}', error=error))

    assert TOKEN not in text and "ticket=abc" not in text
    assert "ValueError" in text
    if json:
        line = orjson.loads(text)
        assert line["message"] == '"?…" … with lone ?'
        assert line["exception"].splitlines()[-1] == 'ValueError: cannot read "…" in "/stream?…"'


def test_each_thread_that_answers_has_its_own_request(in_request: str) -> None:
    seen: list[str | None] = []
    thread = threading.Thread(target=lambda: seen.append(log_format.request_id.get()))
    thread.start()
    thread.join()

    assert seen == [None]


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "-x", "a\nb", 'a"b', "é", "a;b=c", TOKEN * 2])
def test_a_name_that_could_spoil_a_line_is_made_anew(given: str) -> None:
    sent: list[tuple[str, str]] = []

    def serve(environ: dict[str, str], start_response: object) -> list[bytes]:
        start_response("200 OK", [])  # type: ignore[operator]
        return [str(log_format.request_id.get()).encode()]

    (body,) = with_request_id(serve)({"HTTP_X_REQUEST_ID": given}, lambda _, headers: sent.extend(headers))  # type: ignore[arg-type]

    assert re.fullmatch("[0-9a-f]{32}", body.decode())
    assert sent == [(HEADER, body.decode())]
    assert log_format.request_id.get() is None


def test_the_name_lasts_until_the_answer_is_closed() -> None:
    seen: list[str | None] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            seen.append(log_format.request_id.get())
            yield b""

        def close(self) -> None:
            seen.append(log_format.request_id.get())

    body = with_request_id(lambda *_: Body())({"HTTP_X_REQUEST_ID": "mine-1.a_b"}, None)
    list(body)
    body.close()  # type: ignore[attr-defined]

    assert seen == ["mine-1.a_b"] * 2
    assert log_format.request_id.get() is None


def test_every_answer_names_its_request(system: System, user: User) -> None:
    task_id = user.start("test_echo")
    for path in ("/livez", "/", "/nowhere", f"/api/v2/tasks/{task_id}/status", "/socket.io/?EIO=4"):
        answers = [user.client.get(path, headers={HEADER: f"r{n}"}) for n in range(2)]
        assert [a.headers.get_list(HEADER) for a in answers] == [["r0"], ["r1"]], path
    user.finished(task_id)
    viewer, sockets = SseViewer(system.url, user, task_id), SocketViewer(system.url, user, task_id)
    viewer.open(0)
    sockets.open(0)
    viewer.control("end")
    sockets.control("end")
    sockets.close()
    assert len([name for name, _ in viewer.headers if name.lower() == HEADER.lower()]) == 1


def test_a_header_that_goes_on_in_the_next_line_is_no_name(system: System) -> None:
    address = urlsplit(system.url)
    headers = f"Host: {address.netloc}\r\nX-Request-ID: a\r\n forged\r\nConnection: close\r\n\r\n"
    request = f"GET /livez HTTP/1.1\r\n{headers}"
    with socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=60) as line:
        line.sendall(request.encode())
        answer = b"".join(iter(lambda: line.recv(65536), b"")).decode()

    assert "forged" not in answer
    assert re.search("x-request-id: [0-9a-f]{32}\r\n", answer.lower())


def test_what_is_logged_for_a_request_has_its_name(system: System, line: TcpProxy, behind_line: str) -> None:
    log = system.home / f"web-{urlsplit(behind_line).port}.log"
    with httpx.Client(base_url=behind_line, timeout=60) as client:
        body = {"email": "nobody@example.org", "password": "12345678"}
        line.cut()
        answer = client.post("/api/v2/auth/login%0aWARNING%20forged", json=body, headers={HEADER: "before"})
        answer = client.post("/api/v2/auth/login", json=body, headers={HEADER: "while-away"})
    assert answer.status_code == 503 and answer.headers[HEADER] == "while-away"

    written = [text for text in log.read_text().splitlines() if "503 for /api/v2/auth/login" in text]

    assert written and written[0].endswith("[request_id=while-away]")


def json_lines(path: Path) -> list[dict[str, object]]:
    return [orjson.loads(text) for text in path.read_text().splitlines() if text.startswith("{")]


def test_a_workers_lines_name_the_task_that_runs(database: str, other_redis_url: str, tmp_path: Path) -> None:
    system = System(database, other_redis_url, tmp_path)
    with system.running(concurrency=1, LOG_FORMAT="json"), system.guest() as user:
        task_id = user.start("test_logging")
        user.finished(task_id, 60)
    web = json_lines(next(tmp_path.glob("web-*.log")))
    of_task = [one for one in json_lines(tmp_path / "worker.log") if "task_id" in one]

    assert {(one["task_id"], one["job_type"], one["attempt"]) for one in of_task} == {
        (task_id, "test_logging", 1)
    }
    by_message = {one["message"]: one for one in of_task}
    assert by_message["careful"]["level"] == "WARNING"
    assert "KeyError: 'inner'" in str(by_message["with traceback"]["exception"])
    assert "from a thread" in by_message and "from print" in by_message
    assert any("serving on" in str(one["message"]) for one in web)


def test_the_format_is_for_people_where_one_person_runs_it_and_can_be_set() -> None:
    env = {"SECRET_KEY": SECRET, "DATABASE_URL": "postgresql://x/y", "REDIS_URL": "redis://x"}
    embedded = env | {"TASKROOM_ENV": "embedded"}

    assert Config.from_env(env).log_json
    assert not Config.from_env(embedded).log_json
    assert Config.from_env(embedded | {"LOG_FORMAT": "json"}).log_json
    assert not Config.from_env(env | {"LOG_FORMAT": "text"}).log_json
    with pytest.raises(ConfigurationError, match="LOG_FORMAT is 'xml'; set json or text"):
        Config.from_env(env | {"LOG_FORMAT": "xml"})


def test_failures_that_nobody_foresaw_tell_under_which_name_to_look() -> None:
    """The name in the answer is the one in the log."""
    from flask import Flask

    from app.http import problems

    app = Flask(__name__)
    problems.register(app)
    app.add_url_rule("/fails", view_func=lambda: 1 / 0)
    app.wsgi_app = with_request_id(app.wsgi_app)  # type: ignore[method-assign, assignment]

    answer = app.test_client().get("/fails", headers={HEADER: "look-here"})

    assert answer.status_code == 500 and "look-here" in answer.get_json()["detail"]
