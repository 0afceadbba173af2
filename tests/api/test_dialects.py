"""The calls that older clients know beside their streams."""

from __future__ import annotations

import pytest

from tests.support.system import System, User

TEXT = {"artifact_type": "quiz", "content": "Cells are small. The cell has a nucleus.", "notebook_id": "n"}


def test_older_calls_are_the_same_views(system: System, user: User) -> None:
    for _ in range(2):  # each run has one entry
        user.finished(user.start("test_echo", text="x"))
    for slash in ("", "/"):
        listed = user.client.get(f"/api/v1/notifications{slash}", params={"limit": 1})
        assert listed.json()["notifications"] == user.get("notifications", limit=1)["notifications"]
        assert listed.headers["Link"].startswith(f"</api/v1/notifications{slash}?")
    newest = listed.json()["notifications"][0]["id"]

    one = user.client.post(f"/api/v1/notifications/{newest}/read/").json()
    count = user.client.get("/api/v1/notifications/unread-count/").json()
    every = user.client.post("/api/v1/notifications/read-all").json()

    assert (one, count, every) == ({"unread_count": 1}, {"unread_count": 1}, {"unread_count": 0})


def test_an_artifact_starts_as_a_task_does(system: System, user: User, other: User) -> None:
    body = TEXT | {"options": {}}
    keys = ({"Idempotency-Key": "one"}, {"Idempotency-Key": "one"}, {})

    made = [user.client.post("/ai/artifact/generate", json=body, headers=key) for key in keys]

    assert [answer.status_code for answer in made] == [202] * 3
    first, again, new = [answer.json()["job_id"] for answer in made]
    assert first == again != new and made[0].json().keys() == {"job_id"}
    task = user.finished(first)["task"]
    assert (task["job_type"], task["status"], task["params"]["options"]) == (
        "artifact",
        "SUCCESS",
        {"num_questions": 5},
    )
    assert made[0].headers["Location"] == f"/api/v2/tasks/{first}/status"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"artifact_type": "poem"}, "artifact_type"),
        ({"content": None}, "content"),
        ({"options": {"num_questions": 0}}, "options.num_questions"),
        ({"options": [5]}, "options"),
        ({"notebook_id": ""}, "notebook_id"),
        ({"color": "red"}, "color"),
        ({"content": "𝔵" * 60_000}, "body"),
    ],
)
def test_what_cannot_be_an_artifact_is_refused_by_name(
    user: User, wrong: dict[str, object], field: str
) -> None:
    answer = user.client.post("/ai/artifact/generate/", json=TEXT | wrong)

    assert answer.status_code == 422 and list(answer.json()["errors"]) == [field]
