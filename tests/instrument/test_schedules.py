"""What beat says of its entries: of an instrumented project's, in real beats."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery, schedules
from celery.beat import Scheduler

from taskroom.celery.schedules import Followed, words
from tests.instrument.conftest import MakeShop
from tests.instrument.shop import PROJECT, Shop, task
from tests.support.system import wait_for

SCHEDULE = {
    "sums": {"task": task("add"), "schedule": 0.5, "args": (1, 2)},
    "nightly": {"task": task("login"), "schedule": 3600.0, "args": ("ann", "secret")},
}


@contextmanager
def beat(shop: Shop) -> Iterator[None]:
    program = ["celery", "-A", PROJECT, "beat", "--loglevel", "INFO", "--pidfile="]
    program += ["--schedule", str(shop.folder / "schedule")]
    with (shop.folder / "beat.log").open("ab") as log:
        process = shop._start(program, log)
    try:
        wait_for("its report", lambda: process.poll() is not None or shop.said("schedule"))
        assert process.poll() is None, shop.log("beat")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def entry(shop: Shop, name: str) -> dict[str, Any]:
    return dict(
        [one["fields"] for one in shop.said("schedule") if one["fields"]["name"].startswith(name)][-1]
    )


@pytest.mark.slow
def test_a_beat_reports_when_it_sent_what_and_when_it_will_again(make_shop: MakeShop) -> None:
    shop = make_shop({"beat_schedule": SCHEDULE, "beat_max_loop_interval": 1})
    with beat(shop):
        wait_for("a task that it sent", lambda: entry(shop, "sums").get("last_task_id"))
        said, nightly = entry(shop, "sums"), entry(shop, "nightly")
        others = {one["fields"]["name"] for one in shop.said("schedule")}

    assert said["job_type"] == task("add") and said["schedule"] == "every 0.5 s"
    assert shop.statuses(said["last_task_id"]) == ["PENDING"], "the run is reported as any other"
    assert datetime.fromisoformat(said["last_run_at"]) < datetime.fromisoformat(said["next_run_at"])
    assert nightly["schedule"] == "every 1 h" and "last_run_at" not in nightly
    assert datetime.fromisoformat(nightly["next_run_at"]) > datetime.now(UTC)
    assert others == {"sums", "nightly"}, "none of Celery's own"


@pytest.mark.slow
def test_a_beat_of_a_project_that_excludes_a_task_does_not_tell_of_it(make_shop: MakeShop) -> None:
    shop = make_shop({"beat_schedule": SCHEDULE, "beat_max_loop_interval": 1}, exclude=["*.login"])
    with beat(shop):
        assert entry(shop, "sums")

    assert {one["fields"]["name"] for one in shop.said("schedule")} == {"sums"}


def sunrise() -> schedules.solar:
    """Made without the library that computes it."""
    found = schedules.solar.__new__(schedules.solar)
    found.event, found.lat, found.lon = "sunrise", 52.5, 13.4
    return found


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (schedules.schedule(30), "every 30 s"),
        (schedules.schedule(timedelta(minutes=5)), "every 5 min"),
        (schedules.schedule(timedelta(hours=36)), "every 36 h"),
        (schedules.schedule(timedelta(days=2)), "every 2 days"),
        (schedules.crontab(minute="*/10"), "*/10 * * * *"),
        (schedules.crontab(minute=30, hour=9, day_of_week="mon,fri"), "30 9 * * mon,fri"),
        (schedules.crontab(minute=0, hour="2,14", day_of_month="1-7"), "0 2,14 1-7 * *"),
        (sunrise(), "sunrise at 52.5, 13.4"),
    ],
)
def test_a_schedule_in_words(schedule: Any, said: str) -> None:
    assert words(schedule) == said


def test_the_zone_of_a_crontab_is_told() -> None:
    app = Celery(set_as_current=False)
    app.conf.timezone = "Europe/Berlin"

    assert words(schedules.crontab(minute=5, app=app)) == "5 * * * * (Europe/Berlin)"


class Broken(schedules.schedule):
    """A schedule of a project's own, which does not know when it is due."""

    def remaining_estimate(self, last_run_at: Any) -> timedelta:
        raise NotImplementedError


class Ticking(Scheduler):
    """Sends nothing by itself; its loop would sleep for a minute."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        return 60.0

    def send_task(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("the broker is away")


def followed(**entries: Any) -> tuple[Ticking, Followed]:
    app = Celery(set_as_current=False, broker="memory://")
    app.conf.update(beat_schedule=entries, timezone="UTC")
    scheduler = Ticking(app)
    scheduler.data = {}
    scheduler.setup_schedule()
    scheduler.merge_inplace(app.conf.beat_schedule)
    return scheduler, Followed(scheduler, lambda name: name.startswith("shop."))


def test_what_could_not_be_sent_says_why_and_beat_hears_of_it_as_before() -> None:
    scheduler, found = followed(mails={"task": "shop.mail", "schedule": 60.0})

    with pytest.raises(Exception, match="the broker is away"):
        scheduler.apply_async(scheduler.schedule["mails"], advance=False)
    assert scheduler.tick() == 60.0

    (row,) = found.rows
    assert "the broker is away" in row["last_error"] and "last_task_id" not in row
    assert (row["name"], row["job_type"], row["schedule"]) == ("mails", "shop.mail", "every 1 min")


def test_a_schedule_that_does_not_say_when_it_is_due_is_told_without_it() -> None:
    scheduler, found = followed(
        odd={"task": "shop.odd", "schedule": Broken(timedelta(seconds=7))},
        foreign={"task": "other.task", "schedule": 1.0},
    )

    scheduler.tick()

    (row,) = found.rows
    assert row == {"name": "odd", "job_type": "shop.odd", "schedule": "every 7 s"}


def test_a_schedule_that_cannot_be_read_stops_nothing() -> None:
    scheduler, found = followed(mails={"task": "shop.mail", "schedule": 60.0})
    scheduler.tick()
    before = found.rows
    found._looked_at = float("-inf")
    scheduler.data = None

    assert scheduler.tick() == 60.0
    assert found.rows is before and len(before) == 1
