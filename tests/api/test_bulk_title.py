"""The titles of bulk actions, in the words of the dashboard."""

from __future__ import annotations

from typing import Any

import pytest

from app.api.bulk_title import title_of_filter, title_of_ids
from app.api.task_list import ListQuery

WHO = "11111111-2222-4333-8444-555555555555"


@pytest.mark.parametrize(
    ("action", "number", "title"),
    [
        ("cancel", 1, "Cancel 1 chosen run"),
        ("retry", 302, "Retry 302 chosen runs"),
        ("cancel", 1000, "Cancel 1,000 chosen runs"),
    ],
)
def test_named_runs_are_counted(action: str, number: int, title: str) -> None:
    assert title_of_ids(action, number) == title


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ({}, "Cancel all my runs"),
        ({"scope": "mine", "top": True}, "Cancel all my runs"),
        ({"scope": "tenant"}, "Cancel all the team's runs"),
        ({"scope": "all"}, "Cancel everybody's runs"),
        ({"scope": "tenant", "status": "PENDING", "q": "Night"}, "Cancel the team's queued runs with “Night”"),
        ({"status": "STARTED"}, "Cancel my running runs"),
        ({"status": "RETRY"}, "Cancel my retrying runs"),
        ({"status": "WAITING"}, "Cancel my runs that wait for approval"),
        ({"status": "SUCCESS"}, "Cancel my runs that succeeded"),
        ({"status": "FAILURE"}, "Cancel my failed runs"),
        ({"status": "REVOKED"}, "Cancel my cancelled runs"),
        ({"job_type": "import"}, "Cancel my import runs"),
        ({"job_type": "import", "status": "PENDING"}, "Cancel my queued import runs"),
        ({"scope": "tenant", "who": WHO}, "Cancel ada@example.org's runs"),
        ({"approval": True}, "Cancel my runs that need approval"),
        ({"errors": True}, "Cancel my runs with errors"),
        ({"errors": True, "q": "Night"}, "Cancel my runs with “Night” and errors"),
        ({"min_seconds": 60}, "Cancel my runs that took 60 s or more"),
        ({"max_seconds": 0.5}, "Cancel my runs that took 0.5 s or less"),
        ({"min_seconds": 5, "max_seconds": 10}, "Cancel my runs that took 5 to 10 s"),
        ({"from": "2026-11-30T10:00:00Z"}, "Cancel my runs made since 30 Nov 2026, 10:00 UTC"),
        ({"to": "2026-11-03T12:30:00+02:00"}, "Cancel my runs made before 3 Nov 2026, 10:30 UTC"),
        (
            {"from": "2026-11-30T10:00:00Z", "to": "2026-11-30T11:00:00Z"},
            "Cancel my runs made 30 Nov 2026, 10:00 – 30 Nov 2026, 11:00 UTC",
        ),
        ({"parent_id": WHO, "status": "PENDING"}, "Cancel my queued steps of one run"),
        (
            {"status": "SUCCESS", "job_type": "import", "q": "x", "min_seconds": 1, "scope": "all"},
            "Cancel everybody's import runs with “x” that succeeded and took 1 s or more",
        ),
    ],
)  # fmt: skip
def test_a_filter_is_said_in_the_words_of_the_page(given: dict[str, Any], title: str) -> None:
    assert title_of_filter("cancel", ListQuery().load(given), "ada@example.org", False) == title


@pytest.mark.parametrize(
    ("given", "succeeded", "title"),
    [
        ({}, False, "Retry my runs that did not succeed"),
        ({}, True, "Retry all my runs"),
        ({"status": "FAILURE"}, False, "Retry my failed runs"),
        ({"q": "Night"}, False, "Retry my runs with “Night” that did not succeed"),
    ],
)
def test_a_retry_says_whether_it_is_of_those_that_succeeded(
    given: dict[str, Any], succeeded: bool, title: str
) -> None:
    assert title_of_filter("retry", ListQuery().load(given), None, succeeded) == title


def test_somebody_whom_the_caller_may_not_know_has_no_name() -> None:
    given = ListQuery().load({"scope": "all", "who": WHO})

    assert title_of_filter("cancel", given, None, False) == "Cancel one person's runs"


def test_every_filter_of_the_list_changes_the_title_and_none_makes_it_long() -> None:
    """``top`` alone is not said: whether steps are folded is no choice of runs."""
    some = {"scope": "tenant", "who": WHO, "job_type": "x" * 155, "from": "2026-11-30T10:00:00Z"}
    some |= {"to": "2026-11-30T11:00:00Z", "q": "y" * 200, "errors": True, "approval": True}
    some |= {"min_seconds": 1, "max_seconds": 2, "status": "PENDING", "parent_id": WHO}
    names = {field.data_key or name for name, field in ListQuery().fields.items()}
    plain = title_of_filter("cancel", ListQuery().load({}), None, False)

    assert some.keys() == names - {"top"}
    for name, value in some.items():
        assert title_of_filter("cancel", ListQuery().load({name: value}), None, False) != plain, name
    assert len(title_of_filter("cancel", ListQuery().load(some), "z" * 200, False)) == 255
