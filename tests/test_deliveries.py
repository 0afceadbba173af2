"""Deliveries: claimed by one, tried again with back-off, given up, and never lost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from app.webhooks import delivery_queue, subscriptions
from app.webhooks.delivery_queue import PER_OWNER, PER_WEBHOOK, Claimed, Policy, claim, oldest
from tests.stream.helpers import in_threads, sql
from tests.support.hooks import PATIENT, Hook
from tests.support.plans import rows_visited
from tests.tasks.helpers import Tasks

SECOND = timedelta(seconds=1)


@pytest.fixture
def hook(here: Tasks) -> Hook:
    return Hook(here)


def moment(hook: Hook) -> datetime:
    """By Postgres's clock, as all that is due is."""
    return sql(hook.tasks.database, "SELECT now()")[0][0]


@pytest.mark.slow
def test_what_is_claimed_is_had_by_one(hook: Hook) -> None:
    for each in (hook, *(Hook(Tasks(hook.tasks.database)) for _ in range(9))):
        each.create_tasks(2)
    claimed: list[Claimed] = []

    def take() -> None:
        own = Tasks(hook.tasks.database)
        while len(claimed) < 20:
            with own.connect() as connection, connection.cursor() as cur:
                claimed.extend(claim(cur, 3))
        own.connect.close()

    in_threads([take] * 4)

    assert len({c.id for c in claimed}) == len(claimed) == 20
    assert hook.claim() == []


def test_the_lease_of_a_killed_sender_ends_and_it_is_sent_again_under_the_same_id(hook: Hook) -> None:
    hook.create_tasks()
    (lost,) = hook.claim()
    assert hook.claim() == []

    hook.wait()
    (again,) = hook.claim()
    hook.record(lost, status_code=200)  # the first one was stopped, not killed
    assert hook.log()[0]["status"] == "pending", "it is no longer its own"
    hook.record(again, status_code=204)

    assert (again.id, again.tries) == (lost.id, 2)
    (shown,) = hook.log()
    assert (shown["status"], shown["tries"], shown["next_try_at"]) == ("delivered", 2, None)
    assert [a["number"] for a in shown["attempts"]] == [2]


def test_what_fails_is_tried_again_ever_later_and_then_given_up(hook: Hook) -> None:
    hook.create_tasks()

    for wait in PATIENT.retries:
        before = moment(hook)
        hook.fail(1)
        ((due,),) = sql(hook.tasks.database, "SELECT due_at FROM deliveries")
        assert before + wait * 0.89 * SECOND < due < moment(hook) + wait * 1.11 * SECOND
    hook.fail(1)

    (shown,) = hook.log()
    assert (shown["status"], shown["next_try_at"]) == ("failed", None)
    assert [(a["number"], a["status_code"], a["error"]) for a in shown["attempts"]] == [
        (n, 500, None) for n in (1, 2, 3, 4)
    ]
    assert hook.due_in() == []


def test_one_of_which_much_is_told_leaves_room_for_the_others(hook: Hook) -> None:
    hook.create_tasks(20)
    other = Hook(Tasks(hook.tasks.database))
    other.create_tasks(2)

    with hook.tasks.connect() as connection, connection.cursor() as cur:
        first, then = claim(cur, 2), claim(cur, 8)
        assert oldest(cur) is None, "nothing more may be sent now"

    assert {c.webhook_id for c in first} == {hook.id, other.id}, "one of each before the second of any"
    assert sorted(c.webhook_id for c in first + then) == sorted([hook.id, other.id] * 2)
    assert hook.claim() == []
    hook.record(next(c for c in first if c.webhook_id == hook.id), status_code=200)
    assert len(hook.claim()) == 1


def test_an_owner_of_many_that_are_slow_leaves_room_for_the_others(hook: Hook) -> None:
    for _ in range(19):
        Hook(hook.tasks)
    hook.create_tasks(3)  # each of the twenty
    other = Hook(Tasks(hook.tasks.database))
    other.create_tasks(2)

    with hook.tasks.connect() as connection, connection.cursor() as cur:
        first, then = claim(cur, 2), claim(cur, 16)
        assert oldest(cur) is None and claim(cur, 16) == [], "nothing more may be sent now"

    assert [c.webhook_id == other.id for c in sorted(first, key=lambda c: c.webhook_id == other.id)] == [
        False,
        True,
    ]
    assert sorted(c.webhook_id == other.id for c in first + then) == [False] * PER_OWNER + [True] * 2
    hook.record(next(c for c in first if c.webhook_id != other.id), status_code=200)
    with hook.tasks.connect() as connection, connection.cursor() as cur:
        assert len(claim(cur, 16)) == 1


def test_what_fails_together_counts_once(hook: Hook) -> None:
    hook.create_tasks(12)
    burst = hook.claim()
    for _ in range(2):  # as more senders take them at the same moment
        sql(hook.tasks.database, "UPDATE deliveries SET due_at = now() + interval '1 h' WHERE tries = 1")
        burst += hook.claim()
    assert len(burst) == 3 * PER_WEBHOOK

    for claimed in burst:
        hook.record(claimed, Policy((5.0, 60.0), failures=3), error="nobody there")

    assert (hook.shown()["failures"], hook.shown()["enabled"]) == (1, True)
    ((held,),) = sql(
        hook.tasks.database, "SELECT extract(epoch FROM backoff_until - now())::int FROM webhooks"
    )
    assert held <= 5


def test_a_failure_of_before_it_was_enabled_does_not_bring_back_those_of_then(hook: Hook) -> None:
    hook.create_tasks(6)
    hook.fail(4)
    hook.wait()
    (claimed,) = hook.claim()
    with hook.tasks.connect() as connection, connection.cursor() as cur:
        subscriptions.enable(cur, hook.tasks.user_id, hook.id)

    hook.record(claimed, status_code=500)

    assert hook.shown()["failures"] == 1


def test_an_error_that_quotes_what_cannot_be_stored_is_written_down(hook: Hook) -> None:
    hook.create_tasks()
    (claimed,) = hook.claim()

    hook.record(claimed, Policy((5.0,), failures=1), error="it said \0")

    assert hook.log()[0]["attempts"][0]["error"] == "it said \ufffd"
    assert "it said \ufffd" in hook.notices()[0][1]


def test_a_look_at_what_is_due_reads_no_webhook_that_waits_for_nothing(hook: Hook) -> None:
    hook.create_tasks()
    database = hook.tasks.database
    sql(database, "UPDATE webhooks SET disabled_at = now()")
    sql(
        database,
        """INSERT INTO webhooks (user_id, url, event_types, secret)
           SELECT user_id, url, event_types, secret FROM webhooks, generate_series(1, 5000)""",
    )
    sql(
        database,
        """INSERT INTO deliveries (webhook_id, event_type, stream, sequence, payload, status)
           SELECT webhook_id, event_type, stream, 10 + n, payload, 'delivered'
           FROM deliveries, generate_series(1, 5000) AS n""",
    )
    sql(database, "ANALYZE webhooks, deliveries")

    with hook.tasks.connect() as connection, connection.cursor() as cur:
        assert oldest(cur) is None
        looked = cur.query
        assert claim(cur, 8) == []
        claimed = cur.query

        for query in (looked, claimed):
            assert rows_visited(cur, "webhooks", query) < 10
            assert rows_visited(cur, "deliveries", query) < 10


@pytest.mark.slow
def test_one_that_fails_is_asked_one_thing_at_a_time_and_ever_more_seldom(hook: Hook) -> None:
    hook.create_tasks(5)
    first = hook.claim(1)
    hook.record(first[0], status_code=503)
    assert hook.claim() == [], "it is held"

    for seconds in (10, 20, 40, 80, 160, 300, 300, 300):
        hook.wait()
        (claimed,) = hook.claim()
        assert hook.claim() == [], "one at a time"
        before = moment(hook)
        hook.record(claimed, Policy((5.0,) * 9), error="no answer")
        ((held,),) = sql(hook.tasks.database, "SELECT backoff_until FROM webhooks")
        assert before + seconds * SECOND <= held <= moment(hook) + seconds * SECOND

    hook.wait()
    (claimed,) = hook.claim()
    hook.record(claimed, status_code=200)
    assert (hook.shown()["failures"], len(hook.claim())) == (0, PER_WEBHOOK)


def test_after_so_many_failures_in_a_row_it_is_disabled_and_its_owner_told_once(hook: Hook) -> None:
    policy = Policy((1.0,) * 10, failures=5)
    hook.create_tasks(2)
    hook.wait()
    both = hook.claim()
    hook.record(both[0], policy, status_code=200)
    hook.record(both[1], policy, status_code=500)
    hook.fail(3, policy)
    assert (hook.shown()["enabled"], hook.notices()) == (True, [])

    hook.fail(1, policy, status=404)

    shown = hook.shown()
    assert (shown["enabled"], shown["failures"]) == (False, 5) and shown["disabled_at"]
    ((title, message),) = hook.notices()
    assert title == "A webhook was disabled" and "5 times" in message and "404" in message


def test_while_disabled_nothing_is_sent_or_kept_and_enabled_again_it_goes_on(hook: Hook) -> None:
    hook.create_tasks(2)
    (one, _) = hook.claim()
    hook.record(one, Policy((1.0,), failures=1), error="no answer")
    assert not hook.shown()["enabled"]
    hook.create_tasks()
    hook.wait()
    assert hook.claim() == []
    with hook.tasks.connect() as connection, connection.cursor() as cur:
        assert oldest(cur) is None

        enabled = subscriptions.enable(cur, hook.tasks.user_id, hook.id)

    assert (enabled["enabled"], enabled["failures"], enabled["disabled_at"]) == (True, 0, None)
    assert len(hook.claim()) == 2, "both that waited, and not the one of in between"


def test_gone_is_for_ever(hook: Hook) -> None:
    hook.create_tasks()
    (claimed,) = hook.claim()

    hook.record(claimed, status_code=410)

    assert not hook.shown()["enabled"]
    assert len(hook.notices()) == 1


def test_pages_of_the_log_go_on_where_the_last_one_ended(hook: Hook) -> None:
    hook.create_tasks(5)
    sql(hook.tasks.database, "UPDATE deliveries SET created_at = now() WHERE sequence > 2")  # of one moment

    found: list[str] = []
    before = None
    with hook.tasks.connect() as connection, connection.cursor() as cur:
        while page := delivery_queue.page(cur, hook.id, before, 2)[0]:
            found += [d["id"] for d in page]
            before = (page[-1]["created_at"], page[-1]["id"])

    assert len(set(found)) == len(found) == 5
    assert found == [d["id"] for d in hook.log()]


@pytest.mark.slow
def test_a_page_of_a_long_log_is_a_piece_of_an_index(hook: Hook) -> None:
    hook.create_tasks()
    database = hook.tasks.database
    sql(
        database,
        """INSERT INTO deliveries (webhook_id, event_type, stream, sequence, payload, status, created_at)
           SELECT webhook_id, event_type, stream, 10 + n, payload, 'delivered', now() - n * interval '1 s'
           FROM deliveries, generate_series(1, 5000) AS n""",
    )
    sql(database, "ANALYZE deliveries")

    with hook.tasks.connect() as connection, connection.cursor() as cur:
        newest = delivery_queue.page(cur, hook.id, None, 3)[0]
        first = cur.query
        cur.execute("SELECT (now() - interval '4000 s')::text, gen_random_uuid()::text")
        deep = delivery_queue.page(cur, hook.id, cur.fetchall()[0], 3)[0]
        second = cur.query

        assert len(newest) == len(deep) == 3 and newest[-1]["created_at"] > deep[0]["created_at"]
        assert max(rows_visited(cur, "deliveries", query) for query in (first, second)) < 20
