"""What goes wrong is one line that says what to do, and the exit status 2."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from taskroom._transport import Client
from tests.api.reporters import DONE, STARTED, Reporter, new_task
from tests.sdk.cli.bad_server import answering, hanging
from tests.sdk.cli.command import Command, Done
from tests.sdk.cli.runs import key_of
from tests.support.system import System, User, wait_for

IMPATIENT = """
import sys
from taskroom.cli import api
from taskroom.cli.main import main
api.ANSWER_SECONDS = 0.1
sys.exit(main(["ls"]))
"""


def line_of(done: Done) -> str:
    """The only line that was said."""
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("taskroom: ")
    return line.removeprefix("taskroom: ")


@pytest.mark.parametrize(
    "words",
    [("ls",), ("watch", "x"), ("logs", "x"), ("start", "x"), ("cancel", "x"), ("retry", "x"), ("sync",)],
)
def test_settings_that_are_missing(nowhere: Command, words: tuple[str, ...]) -> None:
    assert line_of(nowhere(*words)) == (
        "set TASKROOM_URL to the address of your Taskroom, such as https://rooms.example.org, "
        "and TASKROOM_KEY to a key of its page API keys (/settings/keys)"
    )
    only_url = nowhere(*words, "--url", "https://rooms.example/")
    assert line_of(only_url) == (
        "set TASKROOM_KEY to a key of the page API keys: https://rooms.example/settings/keys"
    )


def test_settings_that_cannot_be_used(nowhere: Command) -> None:
    with_key = nowhere.of(TASKROOM_KEY="k")

    assert line_of(with_key("--url", "rooms", "ls")).startswith("TASKROOM_URL is an address such as https://")
    assert "TASKROOM_KEY has characters" in line_of(
        with_key.of(TASKROOM_KEY="a b")("ls", "--url", "http://x")
    )


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "say what to do: run, pipe, ls,"),
        (("nothing",), "argument COMMAND: invalid choice: 'nothing'"),
        (("ls", "--status", "odd"), "argument --status: invalid choice: 'ODD'"),
        (("watch",), "the following arguments are required: ID; see taskroom watch --help"),
        (("logs", "x", "--odd"), "unrecognized arguments: --odd"),
        (("run", "--lease", "4", "--", "true"), "--lease is 0, or from 5 to 86,400 seconds, not 4"),
        (("run", "--linger", "nan", "--", "true"), "--linger is from 0 to 86,400 seconds, not nan"),
        (("pipe", "x", "--linger", "-1"), "--linger is from 0 to 86,400 seconds, not -1.0"),
    ],
)
def test_arguments_that_are_none(nowhere: Command, words: tuple[str, ...], text: str) -> None:
    assert line_of(nowhere(*words)).startswith(text)


def test_a_wrong_key(system: System, tmp_path: Path) -> None:
    done = Command(system.url, "wrong", tmp_path)("ls")

    assert line_of(done) == (
        f"the server refuses the key; set TASKROOM_KEY to one of {system.url}/settings/keys"
    )


RUN = "1f0a93c2-2222-4333-8444-000000000000"


@pytest.mark.parametrize(
    "words",
    [
        *(
            ("ls",),
            ("watch", RUN),
            ("watch", RUN[:8]),
            ("logs", RUN),
            ("start", "test_echo"),
            ("cancel", RUN),
        ),
        *(("retry", RUN), ("retry", RUN, "--wait")),
    ],
    ids=" ".join,
)
def test_what_answers_is_no_taskroom(taskroom: Command, words: tuple[str, ...]) -> None:
    advice = "set TASKROOM_URL to the address of its list of runs, such as https://rooms.example.org"
    url = f"{taskroom.url}/api/v2"
    assert line_of(taskroom(*words, "--url", url)) == f"there is no Taskroom at {url} (404); {advice}"

    for status in (400, 404, 405):
        with answering(status, "<html>") as url:
            done = taskroom(*words, "--url", url)
        assert line_of(done) == f"there is no Taskroom at {url} ({status}); {advice}"


def test_a_key_without_the_scope(system: System, user: User, tmp_path: Path) -> None:
    done = Command(system.url, key_of(user, "report"), tmp_path)("ls")

    assert line_of(done) == (
        "the key may not do this: This API key lacks the scope read; "
        f"{system.url}/settings/keys makes keys with other scopes"
    )


def test_a_run_that_is_not_there_or_somebody_elses(taskroom: Command, other: User) -> None:
    theirs = other.start("test_echo", text="x")
    for run in (str(uuid.uuid4()), theirs):
        for command in ("watch", "logs", "cancel", "retry"):
            assert line_of(taskroom(command, run)).startswith("There is no such task; the key sees")


def test_an_id_that_is_none_or_not_enough(taskroom: Command, user: User) -> None:
    assert line_of(taskroom("watch", "abc12")).startswith(
        "'abc12' is no run; give the id of a run, its first 6"
    )
    assert line_of(taskroom("watch", "ffffffff")).startswith("no run begins with ffffffff; taskroom ls shows")
    runs = [f"aaaaaa0{n}-2222-4333-8444-{uuid.uuid4().hex[:12]}" for n in (1, 2)]
    tasks = [{"task_id": run, "job_type": "alike"} for run in runs]
    batch = {"writer": str(uuid.uuid4()), "batch": 1, "tasks": tasks}
    user.client.post("/api/v2/events", json=batch).raise_for_status()

    alike = line_of(taskroom("watch", "AAAAAA"))

    assert alike == f"2 runs begin with aaaaaa, such as {runs[1]} and {runs[0]}; give more of the id"
    assert taskroom("cancel", "aaaaaa01").stdout == "REVOKED\n"
    assert [user.status(run)["task"]["status"] for run in runs] == ["REVOKED", "PENDING"]


def test_what_the_run_cannot_do(taskroom: Command, user: User) -> None:
    run = user.start("test_echo", text="x")
    user.finished(run)

    assert line_of(taskroom("cancel", run)) == "The task has ended already: SUCCESS"


def test_why_a_run_is_not_started_again_and_what_to_do(taskroom: Command, user: User, tmp_path: Path) -> None:
    gated, reporter = user.start("test_gated", gate=str(tmp_path / "gate")), Reporter(user)
    wait_for("its start", lambda: user.status(gated)["task"]["status"] == "STARTED")
    once, again = new_task(STARTED, DONE), new_task(STARTED, DONE, can_retry=True)
    reporter.accepted(once, again)
    assert taskroom("retry", again["task_id"]).returncode == 0

    found = [line_of(taskroom("retry", run)) for run in (gated, once["task_id"], again["task_id"])]

    assert found == [
        "The task has not ended: STARTED; cancel it, or wait for its end",
        "Who reported the task cannot start it again; start it where it was started first",
        "The reporter of the task is asked already; the new run is in the list as soon as it begins",
    ]
    assert line_of(taskroom("retry", once["task_id"], "--wait")) == found[1]


def test_a_start_that_is_refused_names_the_field(taskroom: Command) -> None:
    assert line_of(taskroom("start", "test_phases", "count=many")).startswith("params.count: ")
    assert line_of(taskroom("start", "test_nothing")).startswith("job_type: One of: ")
    assert (
        line_of(taskroom("start", "test_echo", "text")) == "'text' is no parameter; give each as name=value"
    )


@pytest.mark.parametrize(
    ("status", "body", "headers", "text"),
    [
        (403, '{"title": "Forbidden", "detail": "This API key lacks the scope read"}', {},
         "the key may not do this: This API key lacks the scope read; "
         "{url}/settings/keys makes keys with other scopes"),
        (409, '{"title": "Conflict", "detail": "It has not ended: STARTED"}', {}, "It has not ended: STARTED"),
        (429, "", {"Retry_After": "17"}, "too many requests; try again in 17 seconds"),
        (503, '{"title": "Unavailable", "detail": "The database is away"}', {},
         "the server cannot answer now (503 The database is away); try again later"),
        (502, "<html>", {}, "the server cannot answer now (502 Bad Gateway); try again later"),
        (302, "", {"Location": "https://elsewhere.example/"},
         "the server sends on to https://elsewhere.example/; set TASKROOM_URL to where it is"),
        (200, "<html>", {}, "what answers at {url} is no Taskroom; check TASKROOM_URL"),
        (200, "[]", {}, "what answers at {url} is no Taskroom; check TASKROOM_URL"),
        (200, "{}", {}, "this should not have happened: KeyError: 'tasks'; please report it"),
    ],
)  # fmt: skip
def test_answers_that_are_no_help(
    tmp_path: Path, status: int, body: str, headers: dict[str, str], text: str
) -> None:
    with answering(status, body, **headers) as url:
        done = Command(url, "k", tmp_path)("ls")

    assert line_of(done) == text.format(url=url)


def test_a_server_that_cannot_be_reached(away: Command) -> None:
    assert line_of(away("ls")) == (
        f"cannot reach {away.url}: Connection refused; check TASKROOM_URL, or try again later"
    )
    assert line_of(away("watch", str(uuid.uuid4()))).startswith("cannot reach ")
    assert "no-such-host.invalid" in line_of(away("ls", "--url", "https://no-such-host.invalid"))


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    with answering(200) as url:
        done = Command(url.replace("http:", "https:"), "k", tmp_path)("ls")

    assert line_of(done).startswith(f"cannot reach {url.replace('http:', 'https:')}: ")


def test_a_server_that_is_silent(tmp_path: Path) -> None:
    class Short(Command):
        def argv(self, *words: str) -> list[str]:
            return [super().argv()[0], "-c", IMPATIENT]

    with hanging() as url:
        assert line_of(Short(url, "k", tmp_path)()).startswith(
            f"cannot reach {url}: timed out; check TASKROOM_URL"
        )


def test_output_that_nobody_takes(nowhere: Command) -> None:
    words = " ".join(f"'{word}'" for word in nowhere.argv("--help"))

    full = nowhere.shell(f"{words} > /dev/full; echo $?")
    gone = nowhere.shell(f"{words} | true; echo ${{PIPESTATUS[0]}}")
    closed = nowhere.shell(f"{words} >&-; echo $?")

    assert (full.stdout, closed.stdout) == ("2\n", "0\n")
    assert full.stderr == (
        "taskroom: the system refuses to read or write: No space left on device; make room, or try elsewhere\n"
    )
    assert gone.stdout in ("141\n", "0\n")  # the help may fit into the pipe before its reader has gone
    assert (gone.stderr, closed.stderr) == ("", "")


def test_sync_says_what_it_could_not_send(away: Command) -> None:
    assert away("sync").stdout == "nothing waits to be sent\n"
    away("run", "-q", "--linger", "60", "--", "true")

    done = away("sync", "--timeout", "0")

    assert " cannot be reached, and what it should get is kept: " in line_of(done)
    assert line_of(away("sync", "--timeout", "nan")) == "--timeout is a number of seconds, not nan"


def test_sync_says_what_the_server_refuses(tmp_path: Path) -> None:
    refused = [{"task_id": "t", "status": 422, "title": "Unknown task"}]
    with answering(202, json.dumps({"tasks": [], "refused": refused})) as url:
        client = Client(url=url, key="k", spool=tmp_path, starts=False)
        client.task("t", "a1", job_type="train")
        client.event("t", "a1", {"type": "task_status", "status": "STARTED"})
        client.spool_now()
        client.close(0)
        done = Command(url, "k", tmp_path)("sync")

    assert done.stdout == f"0 events in 1 batches were sent to {url}\n"
    assert (done.returncode, done.stderr) == (2, "taskroom: 1 events were refused: Unknown task\n")


def test_sync_needs_a_spool(nowhere: Command) -> None:
    done = nowhere.of(TASKROOM_KEY="k", TASKROOM_URL="http://x", TASKROOM_SPOOL="off")("sync")

    assert line_of(done) == "nothing is kept on this machine: TASKROOM_SPOOL says so"
