"""One setting says how long a silent worker is believed to live: rounds count by it, and workers renew by it."""

from __future__ import annotations

import pytest

from app.config import Config
from app.db.persistent import PersistentConnection
from app.errors import ConfigurationError
from app.tasks.lease_reaper import MISSED_LIMIT, LeaseReaper
from tests.support.system import SECRET
from workers import runtime
from workers.runtime import Runtime

ENV = {"SECRET_KEY": SECRET, "DATABASE_URL": "postgresql://x", "REDIS_URL": "redis://x"}


def test_a_round_is_five_seconds_or_what_the_operator_says() -> None:
    assert Config.from_env(ENV).lease_round_seconds == 5.0
    assert Config.from_env(ENV | {"LEASE_ROUND_SECONDS": "1.5"}).lease_round_seconds == 1.5


@pytest.mark.parametrize("text", ["0", "0.9", "61", "-5", "x", "nan", "inf"])
def test_times_that_cannot_be_are_no_setting(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^LEASE_ROUND_SECONDS is .*; set a number from 1 to 60"):
        Config.from_env(ENV | {"LEASE_ROUND_SECONDS": text})


@pytest.mark.parametrize(
    ("seconds", "renewed", "asked"), [("1", 0.2, 1.0), ("5", 1.0, 5.0), ("60", 1.0, 5.0)]
)
def test_a_worker_renews_often_enough_and_soon_after_an_outage(
    monkeypatch: pytest.MonkeyPatch, seconds: str, renewed: float, asked: float
) -> None:
    monkeypatch.setattr(runtime, "settings", lambda: Config.from_env(ENV | {"LEASE_ROUND_SECONDS": seconds}))

    writer = Runtime().writer

    assert (writer._tick_seconds, writer._longest_wait) == pytest.approx((renewed, asked))
    assert writer._longest_wait < MISSED_LIMIT * float(seconds), "or an outage would cost it its lease"


@pytest.mark.parametrize("seconds", [1.0, 5.0, 60.0])
def test_a_leader_is_not_cut_off_between_two_of_its_rounds(database: str, seconds: float) -> None:
    rounds = LeaseReaper(database, None, lambda *_: None, lambda: None, lambda *_: False, seconds)  # type: ignore[arg-type]
    connect: PersistentConnection = rounds._connect

    with connect() as connection, connection.cursor() as cur:
        cur.execute("SELECT setting::float / 1000 FROM pg_settings WHERE name = 'idle_session_timeout'")
        ((patience,),) = cur.fetchall()
    connect.close()

    assert patience > 2 * seconds
