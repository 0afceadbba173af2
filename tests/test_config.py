"""What the environment may say, and what is refused at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config import Config
from app.errors import ConfigurationError
from app.up.home import Home
from app.up.process_plan import taskroom_environment
from app.up.settings import Settings

ENV = {"SECRET_KEY": "x" * 32, "DATABASE_URL": "postgresql://h/d", "REDIS_URL": "redis://h"}


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "https://*.example.org",
        "https://*",
        "https://example.org.*",
        "https://[a-z].org",
        "https://a.org/page",
    ]
    + [
        "https://a@b.org",
        "https://(a|b).org",
        "example.org",
        "null",
        "https://",
        "ftp://a.org",
        "https://a.org:x",
    ],
)
@pytest.mark.parametrize("name", ["CORS_ORIGINS", "EMBED_ORIGINS"])
def test_an_origin_that_stands_for_many_or_is_none_is_refused(name: str, origin: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} may not hold"):
        Config.from_env(ENV | {name: f"https://good.example.org,{origin}"})


def test_origins_are_kept_as_browsers_write_them() -> None:
    given = "https://Good.example.org, http://localhost:5173/,https://[2001:db8::1]:8443"

    assert Config.from_env(ENV | {"CORS_ORIGINS": given}).cors_origins == (
        "https://good.example.org",
        "http://localhost:5173",
        "https://[2001:db8::1]:8443",
    )
    assert Config.from_env(ENV).cors_origins == ()


@pytest.mark.parametrize(
    ("host", "embedded"),
    [("", False), ("0.0.0.0", False), ("::", False), ("192.168.1.7", False), ("example.org", False)]
    + [("127.0.0.1", True), ("127.0.0.2", True), ("::1", True), ("localhost", True)],
)
def test_what_is_lax_for_one_machine_is_strict_where_others_reach_it(
    host: str, embedded: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TASKROOM_ENV", raising=False)
    config = Config.from_env(ENV | {"TASKROOM_ENV": "embedded", "HOST": host})
    behind_nginx = taskroom_environment(
        Settings.from_env({"HOST": host or "0.0.0.0", "WEB_PROCESSES": "2"}), Home.open(tmp_path), "", ""
    )

    assert (config.embedded, config.cookie_secure) == (embedded, not embedded)
    assert behind_nginx["TASKROOM_ENV"] == ("embedded" if embedded else "production")
    assert Config.from_env(ENV | {"TASKROOM_ENV": "embedded"}).embedded
    if not embedded:
        with pytest.raises(ConfigurationError, match="TASKROOM_BENCH=1"):
            Config.from_env(ENV | {"TASKROOM_ENV": "embedded", "HOST": host, "TASKROOM_BENCH": "1"})


@pytest.mark.parametrize("name", ["shop/jobs", "shop.", ".jobs", "shop jobs", "1shop", "shop.jobs;x"])
def test_a_package_of_jobs_that_python_cannot_import_by_that_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="TASKROOM_JOBS may not hold"):
        Config.from_env(ENV | {"TASKROOM_JOBS": f"workers.jobs,{name}"})


def test_the_shipped_jobs_are_those_of_a_worker_that_is_told_nothing_else() -> None:
    assert Config.from_env(ENV).jobs == Config.from_env(ENV | {"TASKROOM_JOBS": ""}).jobs == ("workers.jobs",)
    assert Config.from_env(ENV | {"TASKROOM_JOBS": "shop.jobs, other"}).jobs == ("shop.jobs", "other")
