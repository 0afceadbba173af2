from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest

from tests.api import patient
from tests.api.answers import problem
from tests.api.writing import AT, task_with_logs
from tests.support.system import System, User

ACTING = [
    "\x1b]52;c;ZXZpbA==\x07",  # sets the clipboard
    "\x1b]8;;javascript:alert(1)\x1b\\here\x1b]8;;\x1b\\",  # a link
    "\x1b]0;title\x07",
    "\x1b[2J\x1b[H\x1b[31mred",
    "\x9b31m\x9d0;title\x9c",  # the same in single characters beyond ASCII
    "over\rwritten",
    "two\nlines\r\nthree",
    "\x08\x08\x7f\x0b\x0c\x85",
    "a\u2028b\u2029c",
    "\u202eright to left",
]


def download(
    user: User, task_id: str, form: str = "text", accept: str = "identity", **wanted: str
) -> httpx.Response:
    return user.client.get(
        f"/api/v2/tasks/{task_id}/logs/download",
        params={"format": form, **wanted},
        headers={"Accept-Encoding": accept},
    )


@pytest.fixture(scope="module")
def long(system: System, user: User) -> str:
    """5,000 lines, more than one page and more than one block."""
    lines = [{"message": f"grüße {n} 日本 🎉", "level": "ERROR" if n % 2 else "INFO"} for n in range(100)]
    return task_with_logs(system, user, lines, 50)


def pages(user: User, task_id: str) -> list[Any]:
    found, cursor, more = [], 0, True
    while more:
        page = user.get(f"tasks/{task_id}/logs", since_sequence=cursor, limit=1000)
        found += page["logs"]
        cursor, more = page["next_sequence"], page["has_more"]
    return found


@pytest.mark.parametrize("accept", ["identity", "gzip", "gzip;q=0", "br, gzip;q=0.5"])
def test_ndjson_is_the_whole_log_as_in_the_pages(user: User, long: str, accept: str) -> None:
    answer = download(user, long, "ndjson", accept)

    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{long}.ndjson"'
    assert answer.headers["Vary"] == "Accept-Encoding"
    zipped = accept in ("gzip", "br, gzip;q=0.5")
    assert (answer.headers.get("Content-Encoding") == "gzip") == zipped
    found = [json.loads(line) for line in answer.content.split(b"\n")[:-1]]
    assert len(found) == 5001
    assert found == pages(user, long)


def test_text_is_a_line_each(user: User, long: str) -> None:
    answer = download(user, long)

    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{long}.log"'
    lines = answer.content.decode().split("\n")
    assert len(lines) == 5002 and lines[-1] == ""
    assert lines[2] == f"{AT} ERROR    [-] grüße 1 日本 🎉"


def test_what_is_zipped_is_one_file_for_any_reader(system: System, user: User, long: str) -> None:
    address = f"{system.url}/api/v2/tasks/{long}/logs/download"
    headers = {"Authorization": f"Bearer {user.token}", "Accept-Encoding": "gzip"}
    with patient.stream("GET", address, headers=headers) as answer:
        zipped = b"".join(answer.iter_raw())

    assert gzip.decompress(zipped) == download(user, long).content


def test_nothing_in_a_text_can_act_in_a_terminal(system: System, user: User) -> None:
    lines = [{"message": text, "phase": text} for text in ACTING]
    task_id = task_with_logs(system, user, lines)

    text = download(user, task_id).content.decode()

    shown = text.split("\n")[:-1]
    assert len(shown) == 1 + len(ACTING), "a line each, none forged"
    controls = {c for c in text if (ord(c) < 0x20 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0}
    assert not controls
    assert not set(text) & set("\u2028\u2029\u202e\u202d\u2066\u2067\u2068")


def test_ndjson_keeps_every_character(system: System, user: User) -> None:
    task_id = task_with_logs(system, user, [{"message": text} for text in ACTING])

    lines = download(user, task_id, "ndjson").content.split(b"\n")[1:-1]

    assert [json.loads(line)["message"] for line in lines] == ACTING


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({"level": "WARNING"}, {1, 3, 5}),
        ({"phase": "b"}, {1, 2, 4, 5}),
        ({"q": "LINE 2"}, {2}),
        ({"level": "ERROR", "phase": "b", "q": "line"}, {1, 5}),
        ({"q": "no such text"}, set()),
    ],
)
def test_what_passes_a_filter_is_what_is_downloaded(
    system: System, user: User, wanted: dict[str, str], numbers: set[int]
) -> None:
    lines = [
        {"message": f"line {n}", "level": "ERROR" if n % 2 else "INFO", "phase": "b" if n % 3 else "a"}
        for n in range(6)
    ]
    task_id = task_with_logs(system, user, lines)

    found = [
        json.loads(line) for line in download(user, task_id, "ndjson", **wanted).content.split(b"\n")[:-1]
    ]
    text = download(user, task_id, **wanted).content.decode()

    expected = [f"line {n}" for n in sorted(numbers)]
    assert [line["message"] for line in found] == expected
    assert [line.split("] ")[1] for line in text.split("\n")[:-1]] == expected


@pytest.mark.parametrize("wanted", [{"level": "LOUD"}, {"q": "x" * 201}, {"phase": "p" * 129}])
def test_a_filter_that_is_none_is_refused(user: User, long: str, wanted: dict[str, str]) -> None:
    problem(download(user, long, **wanted), 422)
