"""Retry of many runs: each chain of retries goes on once, from its newest run."""

from __future__ import annotations

from typing import Any

from tests.api.reporters import STARTED, Reporter, new_task, part, status
from tests.support.bulk import done, lines, outcomes, waiting
from tests.support.system import User


def test_runs_are_retried_and_what_has_not_ended_is_refused(user: User) -> None:
    failed = [user.start("test_fail", text="x") for _ in range(2)]
    for task_id in failed:
        user.finished(task_id)
    (open_,) = waiting(user)

    result = done(user, "retry", ids=[*failed, open_])

    assert (result["retried"], result["refused"]) == (2, 1)
    found = {each["task_id"]: each for each in result["tasks"]}
    assert "has not ended: PENDING" in found[open_]["about"]
    for task_id in failed:
        new = user.finished(found[task_id]["about"])["task"]
        assert (new["retry_of"], new["trigger"], new["status"]) == (task_id, "retry", "FAILURE")


def test_a_retry_by_a_filter_leaves_out_what_succeeded(user: User) -> None:
    failed, fine = user.start("test_fail", text="x"), user.start("test_echo", text="x")
    user.finished(failed), user.finished(fine)

    left_out = retried(user, {})
    named = retried(user, {"status": "SUCCESS", "job_type": "test_echo"})
    ran = {each["about"] for result in (left_out, named) for each in result["tasks"]}
    both = retried(user, {}, succeeded=True)

    assert outcomes(left_out) == {failed: "retried"}
    assert outcomes(named) == {fine: "retried"}
    refused = failed, fine, left_out["bulk"], named["bulk"]
    assert outcomes(both) == dict.fromkeys(ran, "retried") | dict.fromkeys(refused, "refused")
    assert [user.status(each["bulk"])["task"]["title"] for each in (left_out, named)] == [
        "Retry my runs that did not succeed",
        "Retry my test_echo runs that succeeded",
    ]


def retried(user: User, filter: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Starts the runs of a filter again, and waits for the ends of the new ones, before which there is no other
    retry."""
    result = done(user, "retry", filter=filter, **more)
    for each in result["tasks"]:
        if each["outcome"] == "retried":
            user.finished(each["about"])
    return result


def test_a_second_retry_by_the_same_filter_starts_as_many_as_the_first(user: User) -> None:
    first = [user.start("test_fail", text="x") for _ in range(3)]
    for task_id in first:
        user.finished(task_id)

    once, twice = (retried(user, {"job_type": "test_fail"}) for _ in range(2))

    assert (once["retried"], twice["retried"], twice["refused"]) == (3, 3, 3)
    second = {each["task_id"]: each["about"] for each in once["tasks"]}
    assert {each["task_id"]: each["about"] for each in twice["tasks"] if each["outcome"] == "refused"} == {
        task_id: f"It was started again as {second[task_id]}" for task_id in first
    }
    assert lines(user, twice["bulk"])[0].endswith(f"refused. It was started again as {second[first[0]]}")


def test_an_observed_run_that_succeeded_when_it_was_started_again_is_not_asked_for(user: User) -> None:
    reporter = Reporter(user)
    mail = new_task(STARTED, status("FAILURE"), can_retry=True)
    reporter.accepted(mail)
    (ran,) = reporter.accepted(part(mail["task_id"], STARTED, status("SUCCESS"), attempt="two"))

    (refused,) = done(user, "retry", ids=[mail["task_id"]])["tasks"]

    assert (refused["outcome"], refused["about"]) == ("refused", f"It was started again as {ran['task_id']}")
    assert reporter.send()["resend"] == []
