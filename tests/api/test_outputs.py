"""Outputs: what a job saves, who may have it, and what nobody gets."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.answers import problem
from tests.support.keys import holder
from tests.support.shares import visitor
from tests.support.system import System, User, wait_for


def saved(user: User, *files: dict[str, Any], **params: Any) -> str:
    task_id = user.start("test_outputs", files=list(files), **params)
    user.finished(task_id)
    return task_id


def text(content: str, name: str | None = "report.csv", **more: Any) -> dict[str, Any]:
    return {"name": name, "text": content, **more}


def download(user: User, task_id: str, name: str = "report.csv", **headers: str) -> httpx.Response:
    return user.client.get(f"/api/v2/tasks/{task_id}/outputs/{name}", headers=headers)


def outputs(user: User, task_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = user.get(f"tasks/{task_id}/outputs")["outputs"]
    return found


def warnings(user: User, task_id: str) -> list[str]:
    lines = user.get(f"tasks/{task_id}/logs", level="WARNING", limit=1000)["logs"]
    return [line["message"] for line in lines]


def files_of(system: System, task_id: str) -> list[Path]:
    return [
        path for path in (system.home / "data/outputs" / task_id[:2] / task_id).glob("*") if path.is_file()
    ]


def test_what_a_job_saves_is_listed_and_can_be_downloaded(user: User) -> None:
    task_id = saved(user, text("shop,sales\n"), text("{}", "all.json"), text("later", None))

    found = outputs(user, task_id)
    assert [(f["name"], f["size"], f["content_type"], f["attempt"]) for f in found] == [
        ("all.json", 2, "application/json", 1),
        ("file-2.txt", 5, "text/plain; charset=utf-8", 1),
        ("report.csv", 11, "text/csv; charset=utf-8", 1),
    ]
    answer = download(user, task_id)
    assert (answer.status_code, answer.content) == (200, b"shop,sales\n")
    headers = answer.headers
    assert headers["Content-Disposition"] == 'attachment; filename="report.csv"'
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Content-Length"] == "11"


def test_the_event_tells_of_each_output_and_the_log_too(user: User) -> None:
    task_id = saved(user, text("a"))

    (event,) = [event for event in user.events(task_id) if event["type"] == "output"]
    told = {name: event["data"][name] for name in ("name", "size", "content_type")}
    assert told == {"name": "report.csv", "size": 1, "content_type": "text/csv; charset=utf-8"}
    assert set(event["data"]) == {"stream", "task_id", "sequence", "timestamp", *told}
    assert "Saved the output report.csv: 1 bytes" in [
        line["message"] for line in user.get(f"tasks/{task_id}/logs")["logs"]
    ]


def test_a_page_that_a_browser_would_run_is_bytes_to_be_saved(user: User) -> None:
    script = "<script>alert(1)</script>"
    names = ("page.html", "picture.svg", "feed.xml", "code.js", "none")
    task_id = saved(user, *(text(script, name) for name in names))

    for name in names:
        headers = download(user, task_id, name).headers
        assert headers["Content-Type"] == "application/octet-stream", name
        assert headers["Content-Disposition"].startswith("attachment; "), name


def test_a_name_of_another_script_survives_the_header(user: User) -> None:
    name = "Bericht für 売上 100%.csv"
    task_id = saved(user, text("a", name))

    answer = user.client.get(
        f"/api/v2/tasks/{task_id}/outputs/" + "Bericht%20f%C3%BCr%20%E5%A3%B2%E4%B8%8A%20100%25.csv"
    )

    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="Bericht f_r __ 100_.csv"; '
        "filename*=UTF-8''Bericht%20f%C3%BCr%20%E5%A3%B2%E4%B8%8A%20100%25.csv"
    )
    assert answer.content == b"a"


def test_what_no_output_may_be_is_a_line_of_the_log_and_the_run_goes_on(system: System, user: User) -> None:
    bad = [
        text("x", "../../etc/passwd"),
        text("x", ".bashrc"),
        text("x", "a\nb"),
        {"kind": "link", "link": "/etc/passwd", "name": "secret.txt"},
        {"kind": "link", "link": str(system.home), "name": "home"},
        {"kind": "pipe", "name": "pipe"},
        {"kind": "folder", "name": "folder"},
        {"kind": "nothing", "name": "nothing"},
    ]
    task_id = saved(user, *bad, text("good"))

    task = user.status(task_id)["task"]
    assert (task["status"], task["result"]["saved"]) == ("SUCCESS", [False] * 8 + [True])
    assert [output["name"] for output in outputs(user, task_id)] == ["report.csv"]
    assert [path.read_text() for path in files_of(system, task_id)] == ["good"]
    told = warnings(user, task_id)
    assert len(told) == 8
    assert all(line.startswith("The output ") and " is not saved: " in line for line in told)
    assert "the name '../../etc/passwd' has characters that file names must not have" in told[0]


def test_a_declared_output_that_was_not_saved_is_a_warning(user: User) -> None:
    assert warnings(user, saved(user)) == ["The job declares the output report.csv and has not saved it"]
    types = {each["job_type"]: each for each in user.get("jobs/types")["job_types"]}
    assert types["test_outputs"]["outputs"] == {"report.csv": "The sales of the day"}
    assert types["test_echo"]["outputs"] == {}


def test_more_than_a_run_may_have(user: User) -> None:
    task_id = saved(user, *(text("x", f"{n:03}.txt") for n in range(102)), text("again", "000.txt"))

    found = outputs(user, task_id)
    assert [output["name"] for output in found] == [f"{n:03}.txt" for n in range(100)]
    assert found[0]["size"] == 5, "what is replaced needs no place"
    assert "The output '100.txt' is not saved: a run has at most 100 outputs" in warnings(user, task_id)


def test_the_next_attempt_replaces_an_output(system: System, user: User) -> None:
    task_id = saved(user, text("a"), retry=True)

    assert [output["attempt"] for output in outputs(user, task_id)] == [2]
    assert download(user, task_id).content == b"a"


@pytest.mark.parametrize(
    ("asked", "status", "content", "part"),
    [
        ("bytes=0-2", 206, b"012", "bytes 0-2/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-4", 206, b"6789", "bytes 6-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("lines=0-1", 200, b"0123456789", None),
        ("bytes=x", 200, b"0123456789", None),
    ],
)
def test_a_part_can_be_asked_for(
    user: User, asked: str, status: int, content: bytes | None, part: str | None
) -> None:
    task_id = saved(user, text("0123456789"))

    answer = download(user, task_id, Range=asked)

    assert (answer.status_code, answer.headers.get("Content-Range")) == (status, part)
    if content is None:
        problem(answer, 416)
    else:
        assert answer.content == content
        assert answer.headers["Content-Length"] == str(len(content))


def test_a_part_of_another_version_is_the_whole(system: System, user: User) -> None:
    task_id = saved(user, text("0123456789"))
    etag = download(user, task_id).headers["ETag"]

    assert download(user, task_id, **{"Range": "bytes=1-2", "If-Range": etag}).content == b"12"
    assert download(user, task_id, **{"Range": "bytes=1-2", "If-Range": '"other"'}).content == b"0123456789"
    files_of(system, task_id)[0].write_text("abcdefghij")
    assert download(user, task_id, **{"Range": "bytes=1-2", "If-Range": etag}).content == b"abcdefghij"


def test_a_large_output_is_sent_in_pieces_while_others_are_answered(user: User) -> None:
    task_id = saved(user, {"name": "large.bin", "size": 50_000_000})
    size = 0
    with user.client.stream("GET", f"/api/v2/tasks/{task_id}/outputs/large.bin") as answer:
        for piece in answer.iter_bytes():
            if not size:
                assert user.get(f"tasks/{task_id}/status")["task"]["task_id"] == task_id
            size += len(piece)

    assert size == 50_000_000


def test_the_head_of_an_output_has_no_body(user: User) -> None:
    task_id = saved(user, text("0123456789"))

    answer = user.client.head(f"/api/v2/tasks/{task_id}/outputs/report.csv")

    assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (200, b"", "10")


def test_only_who_may_read_the_run_gets_its_outputs(user: User, other: User) -> None:
    task_id = saved(user, text("mine"))

    problem(download(other, task_id), 404)
    problem(other.client.get(f"/api/v2/tasks/{task_id}/outputs"), 404)
    anonymous = httpx.get(f"{user.client.base_url}/api/v2/tasks/{task_id}/outputs/report.csv")
    assert anonymous.status_code == 401
    with holder(user, "start", "act") as key:
        problem(download(key, task_id), 403)
    with holder(user, "read") as key:
        assert download(key, task_id).content == b"mine"


def test_a_share_has_the_outputs_of_its_run_and_of_no_other(user: User) -> None:
    shared, secret = saved(user, text("shared")), saved(user, text("secret"))

    with visitor(user, shared) as guest:
        assert [output["name"] for output in outputs(guest, shared)] == ["report.csv"]
        assert download(guest, shared).content == b"shared"
        problem(download(guest, secret), 404)


@pytest.mark.parametrize(
    "name",
    [
        "other.csv",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e",
        "..%5c..%5cetc%5cpasswd",
        "report.csv%00",
        "%ff",
        "%0d%0aX: y",
        "a" * 5_000,
    ],
)
def test_what_was_not_saved_is_404(user: User, name: str) -> None:
    task_id = saved(user, text("a"))

    assert download(user, task_id, name).status_code == 404


def test_a_file_that_is_gone_is_404_and_says_so(system: System, user: User) -> None:
    task_id = saved(user, text("a"))
    (path,) = files_of(system, task_id)
    path.unlink()

    assert "not there any more" in problem(download(user, task_id), 404)["detail"]
    assert len(outputs(user, task_id)) == 1


def test_a_file_that_became_a_link_is_not_followed(system: System, user: User) -> None:
    task_id = saved(user, text("a"))
    (path,) = files_of(system, task_id)
    path.unlink()
    path.symlink_to("/etc/passwd")

    assert download(user, task_id).status_code == 404


def test_a_removed_run_has_no_outputs(system: System, user: User) -> None:
    task_id = saved(user, text("a"))
    system.sql("DELETE FROM tasks WHERE id = %s", task_id)

    assert system.sql("SELECT count(*) FROM outputs WHERE task_id = %s", task_id) == [(0,)]
    assert download(user, task_id).status_code in (200, 404)  # the owner is remembered for a while
    problem(user.client.get(f"/api/v2/tasks/{uuid.uuid4()}/outputs"), 404)


def test_a_download_counts_as_one_of_the_users(user: User) -> None:
    """Four that stand still, because their clients do not read, and a fifth."""
    task_id = saved(user, {"name": "large.bin", "size": 50_000_000})
    path, stop, refused = f"/api/v2/tasks/{task_id}/outputs/large.bin", threading.Event(), list[int]()

    def stand_still() -> None:
        with user.client.stream("GET", path) as answer:
            refused.append(answer.status_code)
            stop.wait(60)

    threads = [threading.Thread(target=stand_still) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        wait_for("four downloads", lambda: len(refused) == 4)
        assert refused == [200] * 4
        problem(user.client.get(path), 429)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    wait_for("their ends", lambda: user.client.head(path).status_code == 200)
