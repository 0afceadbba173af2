"""Reporters name their attempts: a new name begins the next one and ends what the one before may say."""

from __future__ import annotations

from tests.api.reporters import DONE, PENDING, STARTED, Reporter, line, new_task, part, phase, status
from tests.support.system import User

BEGUN = "2026-01-02T03:04:05.250000Z"


def over(name: str) -> tuple[int, str]:
    return 409, f"Attempt {name} is over"


def refusals(answer: dict[str, list[dict[str, object]]]) -> list[tuple[object, object]]:
    return [(row["status"], row["title"]) for row in answer["refused"]]


def test_a_new_name_begins_the_next_attempt_and_fences_the_one_before(user: User) -> None:
    reporter = Reporter(user)
    task_id = reporter.started(worker="first")
    reporter.accepted(part(task_id, phase("read"), line("of the first")))

    reporter.accepted(part(task_id, line("of the second"), attempt="two", worker="second"))
    late = reporter.send(part(task_id, line("too late")))

    assert refusals(late) == [over("one")]
    snapshot = user.status(task_id)
    task = snapshot["task"]
    assert (task["status"], task["attempt"], task["worker"], task["retry_count"]) == (
        "STARTED",
        2,
        "second",
        1,
    )
    assert [(p["phase_id"], p["status"]) for p in snapshot["phases"]] == [("read", "error")]
    told = [e["data"].get("status") for e in user.events(task_id) if e["type"] == "task_status"]
    assert told == ["PENDING", "STARTED", "RETRY", "STARTED"]
    assert [e["data"]["message"] for e in user.events(task_id) if e["type"] == "log"] == [
        "of the first",
        "of the second",
    ]


def test_retry_ends_an_attempt_and_the_next_begins_under_another_name(user: User) -> None:
    reporter = Reporter(user)
    task_id = reporter.started()
    error = {"type": "Timeout", "message": "no answer", "traceback": "T"}

    reporter.accepted(part(task_id, line("x"), status("RETRY", retry_in=30, error=error)))
    waiting = user.status(task_id)["task"]
    late = reporter.send(part(task_id, line("too late")))
    reporter.accepted(part(task_id, STARTED, DONE, attempt="two"))

    assert (waiting["status"], waiting["retry_count"], waiting["error"]) == ("RETRY", 1, error)
    assert refusals(late) == [over("one")]
    retry = next(e["data"] for e in user.events(task_id) if e["data"].get("status") == "RETRY")
    assert (retry["retry_in_seconds"], retry["finished_at"]) == (30, None)
    task = user.status(task_id)["task"]
    assert (task["status"], task["attempt"], task["retry_count"], task["error"]) == ("SUCCESS", 2, 1, None)


def test_two_attempts_may_come_in_one_batch(user: User) -> None:
    first, second = new_task(STARTED, line("1"), status("RETRY")), None
    second = part(first["task_id"], STARTED, line("2"), DONE, attempt="two")

    rows = Reporter(user).accepted(first, second)

    assert [row["task_id"] for row in rows] == [first["task_id"]] * 2
    assert [e["type"] for e in user.events(first["task_id"])] == [
        *("task_status", "task_status", "agent_started", "log", "agent_completed", "task_status"),
        *("task_status", "agent_started", "log", "agent_completed", "task_status"),
    ]
    task = user.status(first["task_id"])["task"]
    assert (task["status"], task["attempt"], task["retry_count"]) == ("SUCCESS", 2, 1)


def test_an_attempt_after_the_end_is_a_task_of_its_own(user: User) -> None:
    reporter = Reporter(user)
    mail = new_task(STARTED, DONE, title="Mail", params={"to": "ann"}, can_retry=True)
    reporter.accepted(mail)
    old = mail["task_id"]

    (row,) = reporter.accepted(part(old, STARTED, line("again"), attempt="two"))
    new = row["task_id"]
    (later,) = reporter.accepted(part(old, line("more"), attempt="two"))
    (current,) = reporter.accepted(part(old, DONE, attempt=None))
    late = reporter.send(part(old, line("late")))

    assert new != old
    assert (row["retry_of"], row["id"], row["url"].rpartition("/")[2]) == (old, old, new)
    assert (later["task_id"], later["retry_of"], current["task_id"]) == (new, old, new)
    assert refusals(late) == [over("one")]
    task = user.status(new)["task"]
    assert (task["retry_of"], task["trigger"], task["status"]) == (old, "retry", "SUCCESS")
    assert (task["title"], task["params"], task["can_retry"]) == ("Mail", {"to": "ann"}, True)
    assert user.status(old)["task"]["status"] == "SUCCESS"
    assert [h["trigger"] for h in user.get("jobs/history")["jobs"]] == ["retry", "manual"]


def test_a_third_attempt_after_the_end_is_a_retry_of_the_second(user: User) -> None:
    reporter, mail = Reporter(user), new_task(STARTED, DONE)
    (first,) = reporter.accepted(mail)

    (second,) = reporter.accepted(part(mail["task_id"], STARTED, DONE, attempt="two"))
    (third,) = reporter.accepted(part(mail["task_id"], STARTED, attempt="three"))
    (by_its_own_id,) = reporter.accepted(part(third["task_id"], line("x"), attempt="three"))

    assert third["retry_of"] == second["task_id"] != first["task_id"]
    assert by_its_own_id["task_id"] == third["task_id"]


def test_the_end_and_the_attempt_after_it_may_come_in_one_batch(user: User) -> None:
    mail = new_task(STARTED, DONE)

    first, second, third = Reporter(user).accepted(
        mail,
        part(mail["task_id"], STARTED, line("x"), attempt="two"),
        part(mail["task_id"], DONE, attempt="two"),
    )

    assert second["task_id"] == third["task_id"] != first["task_id"]
    assert user.status(second["task_id"])["task"]["status"] == "SUCCESS"


def test_without_an_attempt_a_part_makes_the_task_or_concerns_the_one_that_runs(user: User) -> None:
    reporter, mail = Reporter(user), new_task(PENDING, attempt=None)
    reporter.accepted(mail)
    task_id = mail["task_id"]
    waits = user.status(task_id)["task"]["status"]

    unnamed = reporter.send(part(task_id, STARTED, attempt=None))
    reporter.accepted(part(task_id, STARTED))
    reporter.accepted(part(task_id, line("of the one that runs"), attempt=None))
    reporter.accepted(part(task_id, status("FAILURE"), attempt=None))
    ended = reporter.send(part(task_id, line("late"), attempt=None))

    assert waits == "PENDING"
    assert unnamed["refused"][0]["errors"] == {"attempt": ["Name the attempt that begins."]}
    assert refusals(ended) == [(409, "The task has ended: FAILURE")]
    task = user.status(task_id)["task"]
    assert (task["attempt"], task["error"]["message"]) == (1, "The worker gave no reason")


def test_pending_that_comes_late_changes_nothing(user: User) -> None:
    """The process that sends a task and the one that runs it report side by side."""
    sender, reporter = Reporter(user), Reporter(user)
    running, done = new_task(STARTED), new_task(STARTED, DONE)
    reporter.accepted(running, done)
    heads = [user.status(each["task_id"])["sequence"] for each in (running, done)]

    published = {"attempt": None, "job_type": "shop.mail", "queue": "slow"}
    rows = sender.accepted(*(part(each["task_id"], PENDING, **published) for each in (running, done)))

    task = user.status(running["task_id"])["task"]
    assert (task["status"], task["queue"], task["attempt"]) == ("STARTED", "slow", 1)
    assert [row["sequence"] for row in rows] == [heads[0] + 1, heads[1]]
    assert user.status(done["task_id"])["task"]["status"] == "SUCCESS"


def test_a_task_that_waits_may_end_without_an_attempt(user: User) -> None:
    reporter, mail = Reporter(user), new_task(PENDING, line("in the queue"), attempt=None)
    reporter.accepted(mail)

    reporter.accepted(part(mail["task_id"], status("REVOKED"), attempt=None))

    assert [e["type"] for e in user.events(mail["task_id"])] == ["task_status", "log", "task_status"]
    task = user.status(mail["task_id"])["task"]
    assert (task["status"], task["started_at"], task["attempt"]) == ("REVOKED", None, 0)


def test_the_times_of_start_and_end_may_be_given_and_are_never_in_the_future(user: User) -> None:
    end, future = "2026-01-02T03:06:05.500000Z", "2999-01-01T00:00:00Z"
    given = new_task(STARTED | {"timestamp": BEGUN}, line("x", timestamp=BEGUN), DONE | {"timestamp": end})
    ahead = new_task(
        STARTED | {"timestamp": future}, line("x", timestamp=future), DONE | {"timestamp": future}
    )

    Reporter(user).accepted(given, ahead)

    task = user.status(given["task_id"])["task"]
    assert (task["started_at"], task["finished_at"], task["created_at"]) == (BEGUN, end, BEGUN)
    (row,) = [r for r in user.get("jobs/history")["jobs"] if r["task_id"] == given["task_id"]]
    assert row["duration_seconds"] == 120.25
    (ms,) = [
        e["data"]["execution_time_ms"]
        for e in user.events(given["task_id"])
        if e["type"] == "agent_completed"
    ]
    assert ms == 120_250
    assert all(e["timestamp"] < "2100" for e in user.events(ahead["task_id"]))
    ended = user.status(ahead["task_id"])["task"]
    assert ended["started_at"] <= ended["finished_at"] < "2100"


def test_the_order_is_that_of_the_arrival_whatever_the_times(user: User) -> None:
    reporter = Reporter(user)
    task_id = reporter.started()

    reporter.accepted(part(task_id, line("b", timestamp="2026-01-02T03:04:06Z"), line("a", timestamp=BEGUN)))

    lines = [(e["data"]["message"], e["timestamp"]) for e in user.events(task_id) if e["type"] == "log"]
    assert lines == [("b", "2026-01-02T03:04:06.000000Z"), ("a", BEGUN)]


def test_an_attempt_of_no_name_that_fits_is_refused(user: User) -> None:
    answer = Reporter(user).send(new_task(STARTED, attempt="x" * 65), new_task(STARTED, attempt=""))

    assert [row["errors"].keys() for row in answer["refused"]] == [{"attempt"}] * 2


def test_what_is_said_of_a_task_between_two_attempts_is_no_line_of_its_log(user: User) -> None:
    """As of one that replaces itself by another task, whose sender is slower than its worker."""
    reporter, mail = Reporter(user), new_task(STARTED, status("RETRY", retry_in=0))
    reporter.accepted(mail)

    reporter.accepted({"task_id": mail["task_id"], "queue": "shop", "params": {"to": "ann"}})

    snapshot = user.status(mail["task_id"])
    assert (snapshot["task"]["status"], snapshot["task"]["queue"]) == ("RETRY", "shop")
    logs = user.get(f"tasks/{mail['task_id']}/logs")["logs"]
    assert [line["message"] for line in logs] == ["Attempt 2 follows"]
    assert [line["message"] for line in snapshot["recent_logs"]] == ["Attempt 2 follows"]
