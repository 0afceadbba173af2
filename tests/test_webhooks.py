"""Webhooks: who hears of what, and that a delivery is there if and only if its event is."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterable
from typing import Any

import pytest

from app.errors import Conflict, NotFound
from app.inbox.store import mark_read
from app.notifications import create_notification
from app.stream.event import draft, now, user_stream
from app.stream.store import lock_shared
from app.tasks.cleanup import delete_expired
from app.webhooks import subscriptions
from app.webhooks.signing import SecretUnreadable, decrypt, signed
from tests.stream.helpers import in_threads, sql
from tests.support.system import SECRET
from tests.tasks.helpers import Tasks

URL = "https://hooks.example.org/"


def hook(
    tasks: Tasks, types: Iterable[str] = subscriptions.TYPES, user_id: str = "", tenant: str | None = None
) -> str:
    """A webhook of the user's, its id."""
    with tasks.connect() as connection, connection.cursor() as cur:
        made, _ = subscriptions.create(cur, user_id or tasks.user_id, URL, list(types), tenant, SECRET)
    return str(made["id"])


def account(tasks: Tasks, tenant: str | None, role: str = "operator") -> str:
    return str(
        sql(
            tasks.database,
            "INSERT INTO users (email, password_hash, role, tenant) VALUES (%s, 'x', %s, %s) RETURNING id::text",
            *(f"{uuid.uuid4().hex}@example.org", role, tenant),
        )[0][0]
    )


def deliveries(tasks: Tasks, webhook_id: str) -> list[tuple[str, str, int]]:
    """(event type, stream, sequence) of what it is to be told."""
    return sql(
        tasks.database,
        "SELECT event_type, stream, sequence FROM deliveries WHERE webhook_id = %s ORDER BY stream, sequence",
        webhook_id,
    )


def event_types(tasks: Tasks, webhook_id: str) -> list[str]:
    return [type for type, _, _ in deliveries(tasks, webhook_id)]


@pytest.fixture
def tasks(here: Tasks) -> Tasks:
    return here


def delete(tasks: Tasks, user_id: str, webhook_id: str) -> None:
    """As the call does it."""
    with tasks.transaction() as tx:
        subscriptions.disable(tx.cur, user_id, webhook_id)
    subscriptions.delete_disabled(tasks.transaction, webhook_id)


def test_an_event_of_a_chosen_type_is_a_delivery(tasks: Tasks) -> None:
    webhook_id, other = hook(tasks, ["task_completed", "task_created"]), hook(tasks, ["agent_started"])

    tasks.end(tasks.started())

    assert event_types(tasks, webhook_id) == ["task_created", "task_completed"]
    assert event_types(tasks, other) == ["agent_started"]
    rows = sql(
        tasks.database,
        """SELECT deliveries.payload = events.payload FROM deliveries JOIN streams ON name = stream
           JOIN events ON stream_id = streams.id AND seq = sequence""",
    )
    assert rows == [(True,)] * 3


def test_every_way_onto_a_users_stream_is_heard(here: Tasks) -> None:
    webhook_id = hook(here, ["notification", "notifications_read", "task_created"])

    create_notification(here.user_id, "x", "")
    here.create()
    with here.transaction() as tx:
        mark_read(tx, here.user_id)

    assert event_types(here, webhook_id) == ["notification", "task_created", "notifications_read"]


def test_without_the_event_there_is_no_delivery(tasks: Tasks) -> None:
    webhook_id = hook(tasks)

    with pytest.raises(RuntimeError, match="as asked"), tasks.transaction() as tx:
        lock_shared(tx.cur, {user_stream(tasks.user_id)})
        drafted = draft(user_stream(tasks.user_id), "task_created", {"timestamp": now()}, projected=False)
        assert tx.append([drafted]).events
        raise RuntimeError("as asked")

    assert deliveries(tasks, webhook_id) == []


def test_what_others_are_told_is_not_heard(tasks: Tasks) -> None:
    webhook_id = hook(tasks, user_id=account(tasks, None))

    tasks.end(tasks.started())

    assert deliveries(tasks, webhook_id) == []


def test_a_tenants_webhook_hears_its_users_and_no_others(tasks: Tasks) -> None:
    tenant, elsewhere = uuid.uuid4().hex, uuid.uuid4().hex
    admin, member = account(tasks, tenant, "admin"), account(tasks, tenant)
    webhook_id = hook(tasks, ["task_created"], admin, tenant)

    for user_id in (member, admin, account(tasks, elsewhere), account(tasks, None)):
        tasks.create(user_id=user_id)

    streams = {stream for _, stream, _ in deliveries(tasks, webhook_id)}
    assert streams == {user_stream(member), user_stream(admin)}


def test_what_is_of_a_task_stays_in_the_tasks_tenant(tasks: Tasks) -> None:
    first, second = uuid.uuid4().hex, uuid.uuid4().hex
    hooks = [hook(tasks, subscriptions.TYPES, account(tasks, t, "admin"), t) for t in (first, second)]
    mover = account(tasks, first)
    task_id = tasks.create(user_id=mover)
    sql(tasks.database, "DELETE FROM deliveries")

    sql(tasks.database, "UPDATE users SET tenant = %s WHERE id = %s", second, mover)
    tasks.cancel(task_id)
    tasks.create(user_id=mover)

    assert deliveries(tasks, hooks[0]) == [], "its user is no longer there"
    assert event_types(tasks, hooks[1]) == ["task_created"], "the old task was never there"


@pytest.mark.parametrize("change", ["role = 'operator'", "tenant = 'other'", "tenant = NULL"])
def test_who_is_no_admin_of_the_tenant_any_more_hears_nothing(tasks: Tasks, change: str) -> None:
    tenant = uuid.uuid4().hex
    admin = account(tasks, tenant, "admin")
    webhook_id = hook(tasks, ["task_created"], admin, tenant)

    sql(tasks.database, f"UPDATE users SET {change} WHERE id = %s", admin)
    tasks.create(user_id=account(tasks, tenant))

    assert deliveries(tasks, webhook_id) == []


@pytest.mark.parametrize("named", ["x", "", 5, None, {"a": 1}, str(uuid.UUID(int=7)), "\u2028"])
def test_whatever_others_publish_is_told_and_fails_no_event(tasks: Tasks, named: Any) -> None:
    tenant = uuid.uuid4().hex
    webhook_id = hook(tasks, ["artifact.progress"], account(tasks, tenant, "admin"), tenant)
    stream = user_stream(account(tasks, tenant))

    with tasks.transaction() as tx:
        lock_shared(tx.cur, {stream})
        fields = {"timestamp": now(), "task_id": named, "related_type": "task", "related_id": named}
        assert tx.append([draft(stream, "artifact.progress", fields, projected=False)]).events

    assert len(deliveries(tasks, webhook_id)) == 1


def test_a_webhook_that_is_being_deleted_fails_no_event(tasks: Tasks) -> None:
    webhook_id = hook(tasks)
    with tasks.connect() as connection, connection.cursor() as cur:
        cur.execute("DELETE FROM webhooks WHERE id = %s", (webhook_id,))
        other = Tasks(tasks.database)
        other.create(user_id=tasks.user_id)  # does not wait for the deletion either
        other.connect.close()

    assert deliveries(tasks, webhook_id) == []


@pytest.mark.slow
def test_several_who_append_while_webhooks_come_and_go_wait_for_nobody(tasks: Tasks) -> None:
    def tell() -> None:
        own = Tasks(tasks.database)
        for _ in range(15):
            own.end(own_started(own))
        own.connect.close()

    def own_started(own: Tasks) -> str:
        task_id = own.create(user_id=tasks.user_id)
        own.claim(task_id)
        return task_id

    def come_and_go() -> None:
        own = Tasks(tasks.database)
        for _ in range(15):
            delete(own, tasks.user_id, hook(own, user_id=tasks.user_id))
        own.connect.close()

    in_threads([tell, tell, come_and_go, come_and_go])

    (count,) = sql(tasks.database, "SELECT count(*) FROM tasks WHERE status = 'SUCCESS'")
    assert count == (30,)
    assert sql(tasks.database, "SELECT FROM deliveries") == []


def test_a_user_has_no_more_than_so_many(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "MOST", 3)
    made: list[str] = []

    def make() -> None:
        own = Tasks(tasks.database)
        with contextlib.suppress(Conflict):
            made.append(hook(own, user_id=tasks.user_id))
        own.connect.close()

    in_threads([make] * 6)

    assert len(made) == 3


def test_a_secret_is_kept_sealed_and_signs_as_the_specification_says(tasks: Tasks) -> None:
    with tasks.connect() as connection, connection.cursor() as cur:
        made, secret = subscriptions.create(cur, tasks.user_id, URL, ["notification"], None, SECRET)
    ((stored,),) = sql(tasks.database, "SELECT secret FROM webhooks WHERE id = %s", made["id"])

    assert secret.startswith("whsec_") and secret not in stored and secret[6:] not in stored
    assert "secret" not in made
    assert decrypt(stored, SECRET) == secret
    with pytest.raises(SecretUnreadable):
        decrypt(stored, SECRET + "!")
    # The specification's own example.
    example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert signed(example, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}') == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_what_is_deleted_takes_its_deliveries_along(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "DELETED_ROWS", 2)
    webhook_id = hook(tasks)
    tasks.end(tasks.started())

    with pytest.raises(NotFound):
        delete(tasks, account(tasks, None), webhook_id)
    assert len(deliveries(tasks, webhook_id)) > 3, "more than one statement deletes"
    delete(tasks, tasks.user_id, webhook_id)

    assert sql(tasks.database, "SELECT FROM deliveries") == sql(tasks.database, "SELECT FROM webhooks") == []


def test_deliveries_go_after_a_week(tasks: Tasks) -> None:
    webhook_id = hook(tasks, ["task_created"])
    tasks.create()
    tasks.create()
    sql(tasks.database, "UPDATE deliveries SET created_at = now() - interval '8 days' WHERE sequence = 1")

    delete_expired(tasks.connect)

    assert len(deliveries(tasks, webhook_id)) == 1
