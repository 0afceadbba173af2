"""The REST interface in the test's own process, over a Postgres that the test makes up."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from flask import Flask

from app import api
from app.auth import access_log, identity
from app.auth.issuers import Issuers
from app.auth.owners import Owners
from app.auth.passwords import Passwords
from app.auth.refusals import Refusals
from app.auth.revocations import Revocations
from app.auth.tokens import Authenticator
from app.config import Config
from app.green.unsent import Unsent
from app.http import problems
from app.http.attempts import ConnectionAttempts
from app.http.concurrency import Downloads, ReportConcurrency, UserConcurrency
from app.http.rate_limits import limit_blueprint
from app.jobs.catalog import Catalog
from app.observability.metrics import Metrics
from tests.api.fakes import FakePostgres
from tests.support.parts import Parts
from tests.support.system import SECRET


class NobodySignedOut(Revocations):
    known = True  # type: ignore[assignment]


def small_app(
    fake: FakePostgres,
    *,
    limits: str | None = None,
    parts: Mapping[type, Any] | None = None,
    **settings: Any,
) -> Flask:
    """Nothing runs beside it. ``limits`` is where attempts are counted; None: nowhere. ``parts`` are more services, or
    others than these."""
    config = Config(SECRET, "postgresql://", "redis://", **settings)
    app = Flask(__name__, static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=config.body_limit,
        RATELIMIT_STORAGE_URI=limits or "memory://",
        RATELIMIT_ENABLED=limits is not None,
    )
    access_log.init_app(app)
    limit_blueprint("auth", app)
    identity.init_app(app, config)
    problems.register(app)
    revocations = NobodySignedOut("", 3600, lambda _: None)
    app.extensions["taskroom"] = Parts(
        {
            Catalog: SimpleNamespace(types=dict, broken=dict),
            Owners: Owners(fake.read),
            Revocations: set(),
            ConnectionAttempts: ConnectionAttempts(config.connects_per_minute, lambda key: 0.0),
            Authenticator: Authenticator(fake.read, fake.read, revocations, Issuers({})),
            UserConcurrency: UserConcurrency(config.requests_per_user),
            ReportConcurrency: ReportConcurrency(config.requests_per_user),
            Downloads: Downloads(),
            Unsent: Unsent(),
            Metrics: SimpleNamespace(text=lambda: b"taskroom 1\n"),
            Refusals: Refusals(fake.read),
            Passwords: Passwords(config.passwords_at_once, config.passwords_waiting),
            **(parts or {}),
        },
        config=config,
        read=fake.read,
        write=fake.read,
        transaction=fake.transaction,
    )
    api.init_app(app)
    return app
