"""What a page needs of a log beside its lines: where the errors are, and lines without the states of progress bars."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.api.answers import problem
from tests.api.writing import task_with_logs
from tests.support.system import System, User


def marks(user: User, task_id: str, of: str) -> Any:
    return user.get(f"tasks/{task_id}/logs/marks", of=of)


def test_errors_and_warnings_have_their_places(system: System, user: User) -> None:
    levels = ("INFO", "WARNING", "ERROR", "CRITICAL", "DEBUG")
    task_id = task_with_logs(system, user, [{"message": level, "level": level} for level in levels], 2)
    head = user.status(task_id)["sequence"]
    first = head - 9

    assert marks(user, task_id, "errors") == {
        "places": [first + 2, first + 3, first + 7, first + 8],
        "stretch": 1,
        "head": head,
    }
    assert marks(user, task_id, "warnings")["places"] == [first + n for n in (1, 2, 3, 6, 7, 8)]
    problem(user.client.get(f"/api/v2/tasks/{task_id}/logs/marks?of=hits"), 422, "of")


def test_of_more_than_five_thousand_errors_some_are_told_of_the_whole_log(system: System, user: User) -> None:
    task_id = task_with_logs(system, user, [{"message": "no", "level": "ERROR"}, {"message": "yes"}], 5_100)
    head = user.status(task_id)["sequence"]

    found = marks(user, task_id, "errors")

    assert found["stretch"] == 6 and found["head"] == head
    assert 1_690 < len(found["places"]) < 1_710
    assert found["places"][0] < 20 and head - found["places"][-1] < 12
    assert all(0 < after - before <= 10 for before, after in pairwise(found["places"]))


BAR = [
    {"message": "begin"},
    *({"message": f"{n} %\r", "component": "stderr"} for n in range(9)),
    {"message": "done", "component": "stderr"},
    {"message": "one\r", "component": "stderr"},
    {"message": "of another component"},
    {"message": "alone\r"},
]


@pytest.mark.parametrize("limit", [1, 3, 1_000])
def test_a_page_asked_for_what_stays_has_no_state_that_another_one_replaced(
    system: System, user: User, limit: int
) -> None:
    task_id = task_with_logs(system, user, BAR)
    joined, cursor, more = list[str](), 1, True

    while more:
        found = user.get(f"tasks/{task_id}/logs", since_sequence=cursor, limit=limit, final=True)
        joined += [line["message"] for line in found["logs"]]
        cursor, more = found["next_sequence"], found["has_more"]

    stays = ["begin", "done", "one\r", "of another component", "alone\r"]
    assert joined[-5:] == stays
    newest = user.get(f"tasks/{task_id}/logs", limit=5, final=True)
    assert [line["message"] for line in newest["logs"]] == stays
    every = user.get(f"tasks/{task_id}/logs", limit=1_000)["logs"]
    assert len([line for line in every if line["message"].endswith("\r")]) == 11
