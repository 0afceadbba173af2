"""A cursor is of one list: every paged list refuses that of every other."""

from __future__ import annotations

from tests.api.answers import problem
from tests.api.reporters import Reporter
from tests.api.routes import routes
from tests.support.keys import make
from tests.support.system import System, User, wait_for

# Of each paged list the address, and what kind of thing has such a list each.
LISTS = {
    "/api/v2/tasks": "",
    "/api/v2/tasks/{task_id}/tree": "task",
    "/api/v2/jobs/history": "",
    "/api/v2/jobs/stats": "",
    "/api/v2/keys": "",
    "/api/v2/views": "",
    "/api/v2/trail": "",
    "/api/v2/workers": "",
    "/api/v2/queues": "",
    "/api/v2/schedules": "",
    "/api/v2/notifications": "",
    "/api/v2/webhooks/{webhook_id}/deliveries": "webhook",
}


def test_all_paged_lists_are_tried(system: System) -> None:
    paged = {route.path for route in routes(system) if "cursor" in route.query}

    # An older address of the notifications is the same list.
    assert paged - {"/api/v1/notifications/"} == LISTS.keys()


def test_the_cursor_of_another_list_is_refused(system: System, user: User) -> None:
    cursors = {path: first_cursor(user, path) for path in filled(system, user)}

    assert len(cursors) == 14
    for path in cursors:
        for other, cursor in cursors.items():
            answer = user.client.get(path, params={"limit": 1, "cursor": cursor})
            if other == path:
                assert answer.status_code == 200, answer.text
            else:
                problem(answer, 422, "cursor")


def filled(system: System, user: User) -> list[str]:
    """Fills each of the lists with two rows at least; returns their paths, of lists of things two each."""
    step = {"job_type": "test_echo", "params": {"text": "x"}}
    tasks = [user.start("orchestrate", steps=[step, step], mode="parallel") for _ in range(2)]
    for task_id in tasks:
        user.finished(task_id)
    webhooks = [webhook(system, user) for _ in range(2)]
    for name in ("first", "second"):
        make(user)
        view = {"name": name, "filters": {"q": name}}
        assert user.client.post("/api/v2/views", json=view).status_code == 201
    entry = {"job_type": "shop.sums", "schedule": "0 2 * * *"}
    Reporter(user).send(
        workers=[{"name": "shop@one"}, {"name": "shop@two"}],
        queues=[{"name": "shop", "depth": 0}, {"name": "shop.slow", "depth": 0}],
        schedules=[{"name": "shop.nightly"} | entry, {"name": "shop.daily"} | entry],
    )
    wait_for("two notifications", lambda: len(user.get("notifications")["notifications"]) >= 2)
    things = {"task": tasks, "webhook": webhooks, "": [""]}
    return [path.format(task_id=id, webhook_id=id) for path, kind in LISTS.items() for id in things[kind]]


def first_cursor(user: User, path: str) -> str:
    page = user.client.get(path, params={"limit": 1}).json()
    assert page["next"], f"{path} has no second page"
    return str(page["next"])


def webhook(system: System, user: User) -> str:
    body = {"url": "https://hooks.example.org/x", "event_types": ["task_completed"]}
    made = user.client.post("/api/v2/webhooks", json=body).json()["id"]
    system.sql(
        """INSERT INTO deliveries (webhook_id, event_type, payload, stream, sequence, due_at, status)
           SELECT %s, 'notification', '{}', 'user:x', n, NULL, 'delivered' FROM generate_series(1, 2) AS n""",
        made,
    )
    return str(made)
