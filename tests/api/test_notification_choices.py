"""What a user wants to be told of its runs, by REST."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.answers import problem
from tests.support.system import User, wait_for

CHOICES = "/api/v2/notifications/choices"


def put(user: User, default: str, **job_types: str) -> Any:
    answer = user.client.put(CHOICES, json={"default": default, "job_types": job_types})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_choices_are_kept_for_their_user_and_obeyed(user: User, other: User) -> None:
    assert user.get("notifications/choices") == {"default": "all", "job_types": {}}

    put(user, "none", test_echo="all")
    chosen = put(user, "approvals", test_fail="all")

    assert (
        chosen
        == user.get("notifications/choices")
        == {"default": "approvals", "job_types": {"test_fail": "all"}}
    )
    assert other.get("notifications/choices") == {"default": "all", "job_types": {}}
    user.finished(user.start("test_echo", text="not told"))
    failed = user.start("test_fail", text="told")
    user.finished(failed)
    wait_for("it", lambda: user.get("notifications")["notifications"])
    (notice,) = user.get("notifications")["notifications"]
    assert (notice["related_id"], notice["metadata"]) == (failed, {"job_type": "test_fail"})


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"default": "some"}, "default"),
        ({"default": None}, "default"),
        ({"job_types": {"x": "some"}}, "job_types.x.value"),
        ({"job_types": {"": "all"}}, "job_types..key"),
        ({"job_types": {"a\nb": "all"}}, "job_types.a\nb.key"),
        ({"job_types": {f"{n}": "all" for n in range(201)}}, "job_types"),
        ({"more": 1}, "more"),
    ],
)
def test_a_wrong_choice_is_refused_by_its_name_and_changes_nothing(
    user: User, wrong: dict[str, Any], field: str
) -> None:
    put(user, "failures")

    answer = user.client.put(CHOICES, json={"default": "all", "job_types": {}, **wrong})

    assert list(problem(answer, 422)["errors"]) == [field]
    assert user.get("notifications/choices")["default"] == "failures"
