"""The list of the trail: its filters and pages, the file of all of it, and how long it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import orjson
import pytest

from app.auth import trail_list
from tests.api.answers import problem
from tests.api.test_trail import entries, post, team, told, waits
from tests.support.keys import make
from tests.support.system import User
from tests.tasks.helpers import Tasks

__all__ = ["team"]  # a fixture


def test_the_filters(team: dict[str, User]) -> None:
    ann, bob, ada = team["ann"], team["bob"], team["ada"]
    first, second = waits(ann), waits(bob)
    post(ann, f"tasks/{first}/cancel")
    post(bob, f"tasks/{second}/reject", reason="too dear")
    make(bob, "read", name="Backup")
    cancel, reject = entries(ada, action="runs,approvals")[::-1]

    assert [entry["action"] for entry in entries(ada, action="keys,reject")] == ["key_made", "reject"]
    assert told(ada, who=ann.id) == [("cancel", ann.email, first)]
    assert told(ada, q="too DEAR") == [("reject", bob.email, second)]
    assert told(ada, q="backup") == [("key_made", bob.email, entries(bob, action="keys")[0]["target"])]
    assert told(ada, q=first[:8]) == [("cancel", ann.email, first)]
    assert [e["id"] for e in entries(ada, action="runs,approvals", to=reject["at"])] == [cancel["id"]]
    since = {"from": reject["at"], "action": "runs,approvals"}
    assert [e["id"] for e in entries(ada, **since)] == [reject["id"]]
    for wrong in ({"action": "jump"}, {"who": "ann"}, {"from": "soon"}, {"cursor": "x"}):
        assert list(problem(ada.client.get("/api/v2/trail", params=wrong), 422)["errors"]) == list(wrong)


def test_pages_follow_one_another_while_entries_come(user: User) -> None:
    before = [waits(user) for _ in range(5)]
    for task_id in before:
        post(user, f"tasks/{task_id}/cancel")
    seen, query = list[str](), {"limit": 2, "action": "cancel"}
    while True:
        page = user.get("trail", **query)
        seen += [entry["target"] for entry in page["entries"]]
        if page["next"] is None:
            break
        post(user, f"tasks/{waits(user)}/cancel")
        query["cursor"] = page["next"]

    assert seen == before[::-1]


def test_the_file_has_all_entries_and_obeys_the_filters(user: User, other: User) -> None:
    tasks = [waits(user) for _ in range(3)]
    for task_id in tasks:
        post(user, f"tasks/{task_id}/cancel")
    make(user, "read")

    answer = user.client.get("/api/v2/trail/export", params={"action": "cancel"})

    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="trail.ndjson"'
    lines = [orjson.loads(line) for line in answer.text.splitlines()]
    assert lines == entries(user, action="cancel")
    assert [line["target"] for line in lines] == tasks[::-1]
    assert other.client.get("/api/v2/trail/export", params={"action": "cancel"}).text == ""


@pytest.fixture
def kept(database: str) -> Iterator[Tasks]:
    tasks = Tasks(database)
    yield tasks
    tasks.connect.close()


def entry_of(
    tasks: Tasks,
    days: float,
    action: str = "cancel",
    number: int = 1,
    user_id: str | None = None,
    owner_id: str | None = None,
) -> None:
    """Inserts so many entries of the user that are so many days old, each a second older than the one before."""
    with tasks.connect() as conn, conn.cursor() as cur:
        cur.execute(
            """INSERT INTO trail (at, user_id, owner_id, action, kind, title)
               SELECT now() - %s - n * interval '1 second', %s, %s, %s, 'task', n FROM generate_series(1, %s) AS n""",
            (timedelta(days=days), user_id or tasks.user_id, owner_id, action, number),
        )


def test_old_entries_are_deleted_in_steps_and_others_stay(
    kept: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail_list, "DELETED_ROWS", 10)
    entry_of(kept, 8, number=25)
    entry_of(kept, 6, number=3)

    assert trail_list.forget(kept.connect, 7) == 25

    assert len(list(trail_list.every_entry(kept.connect, trail_list.Wanted()))) == 3


def test_what_is_rare_is_found_by_and_by(kept: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both pieces of a user's index, its own deeds and those of others, are looked at together."""
    monkeypatch.setattr(trail_list, "SCAN_ENTRIES", 10)
    monkeypatch.setattr(trail_list, "EXPORT_PAGE", 4)
    another = kept.add_user()
    entry_of(kept, 1, number=15)
    entry_of(kept, 2, number=15, user_id=another, owner_id=kept.user_id)
    entry_of(kept, 3, action="retry", number=2)
    entry_of(kept, 4, number=5, user_id=another)
    wanted = trail_list.Wanted(mine=kept.user_id, actions=("retry",))

    with kept.connect() as conn, conn.cursor() as cur:
        first = trail_list.page(cur, wanted, None, 50)

    assert first.entries == [] and first.next is not None
    found = list(trail_list.every_entry(kept.connect, wanted))
    assert [entry["action"] for entry in found] == ["retry", "retry"]
    everything = list(trail_list.every_entry(kept.connect, trail_list.Wanted(mine=kept.user_id)))
    assert len(everything) == 32
