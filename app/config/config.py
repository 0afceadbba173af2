"""The configuration of a process, read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.config import readers
from app.errors import ConfigurationError
from app.outgoing.url_policy import Network

MINIMUM_SECRET_LENGTH = 32
MINIMUM_TOKEN_LENGTH = 16
QUEUE, QUICK_QUEUE = "taskroom", "quick"
CELERY_QUEUES = (QUEUE, QUICK_QUEUE)
JOBS = ("workers.jobs",)
RETRY_SECONDS = (5.0, 60.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of web processes, workers and beat. Times are in seconds, sizes in bytes.

    ``production`` is the default and refuses insecure settings. ``script/up`` sets ``TASKROOM_ENV=embedded`` for a run
    on one machine; with a HOST that other machines can reach, such a run counts as production too.
    """

    secret_key: str = field(repr=False)
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    embedded: bool = False
    port: int = 8000
    worker_metrics_port: int = 0  # where a worker serves its metrics; 0: nowhere
    host: str = "127.0.0.1"
    log_json: bool = True  # False: lines for people
    process: int = (
        1  # the number of this web process; Engine.IO session ids begin with it, and nginx routes by it
    )
    trusted_proxies: int = 0  # the number of proxies that add to X-Forwarded-For
    cors_origins: tuple[str, ...] = ()
    issuers: str = ""  # a JSON list of other token issuers, or its path; app/auth/issuers.py reads it
    bench: bool = False
    content_roots: tuple[Path, ...] = ()
    pool_size: int = 20
    access_token_seconds: int = 15 * 60
    refresh_token_seconds: int = 30 * 24 * 3600
    ticket_seconds: int = 30
    keepalive_seconds: float = 15.0
    ping_seconds: int = 25  # of Socket.IO; a client that does not answer within 20 s more is disconnected
    upgrade_seconds: float = (
        10.0  # for a polling client, from the WebSocket handshake to the end of the upgrade
    )
    stalled_seconds: float = 30.0  # a viewer that takes no bytes for this time is disconnected
    drain_seconds: float = 8.0  # for requests in flight at shutdown; less than the stop time of the process
    websocket_compression: bool = False
    lease_round_seconds: float = 5.0  # a task is lost when its worker is silent for four rounds
    celery_queues: tuple[str, ...] = (
        CELERY_QUEUES  # the queues that Celery workers serve; other queues get no messages
    )
    jobs: tuple[str, ...] = JOBS  # the packages whose job types a worker runs
    body_limit: int = 2 * 1024 * 1024
    streams_per_user: int = 500
    max_viewers: int = 15_000  # of this process
    starts_per_minute: int = 120  # of a user; an address has ten times each of these limits
    steps_per_minute: int = 1_200  # in these starts
    changes_per_minute: int = 120  # created and enabled webhooks, pings, announcements: each leaves rows
    tickets_per_minute: int = 1_000
    connects_per_minute: int = 3_000
    passwords_at_once: int = 2  # of this process; each check takes 64 MB
    passwords_waiting: int = 16
    running_per_user: int = 0  # running tasks in Celery workers; 0: all slots except the spare ones
    worker_spare_slots: int = 1  # of a worker, beside its concurrency: for users with fewer running tasks
    requests_per_user: int = 5  # requests served at once; further requests of the user wait
    sse_notifications: bool = True  # False: no notification streams, clients poll
    webhook_allowed: tuple[Network | str, ...] = ()  # private addresses that webhooks may call
    webhook_retry_seconds: tuple[float, ...] = RETRY_SECONDS  # before each retry
    metrics_token: str = field(default="", repr=False)  # a request for /metrics must send it
    retention_days: int = 30  # days that events of a finished task are kept; 0: for ever
    retention_events: int = 1_000_000  # events kept of one stream; 0: all
    task_retention_days: int = 365  # days that a finished task is kept; 0: for ever
    waiting_days: int = 90  # days that a task waits for an approval or a worker; 0: for ever
    daily_bytes: int = (
        2_000_000_000  # stored by a user's tasks in a day; then starts are refused; 0: no limit
    )
    output_bytes: int = (
        1_000_000_000  # of knowledge_base files on one machine; the oldest are deleted; 0: no limit
    )

    @property
    def sqlalchemy_url(self) -> str:
        """The URL with the driver: SQLAlchemy 2.1 would use psycopg 3 for ``postgresql://`` alone."""
        return "postgresql+psycopg2://" + self.database_url.split("://", 1)[1]

    @property
    def cookie_secure(self) -> bool:
        return not self.embedded

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Config:
        """Reads and checks all settings. Raises ConfigurationError with one line that says what to set."""
        name = env.get("TASKROOM_ENV", "production")
        if name not in ("production", "embedded"):
            raise ConfigurationError(f"TASKROOM_ENV is {name!r}; set it to production or embedded")
        config = cls(
            secret_key=readers.required(env, "SECRET_KEY"),
            # libpq accepts no driver name in a URL.
            database_url=readers.url(
                env, "DATABASE_URL", ("postgresql", "postgres", "postgresql+psycopg2")
            ).replace("postgresql+psycopg2://", "postgresql://", 1),
            redis_url=readers.url(env, "REDIS_URL", ("redis", "rediss", "unix")),
            embedded=name == "embedded" and readers.is_loopback(env.get("HOST", "127.0.0.1")),
            port=readers.integer(env, "PORT", 8000, 1, 65535),
            worker_metrics_port=readers.integer(env, "WORKER_METRICS_PORT", 0, 0, 65535),
            log_json=readers.choice(
                env, "LOG_FORMAT", ("json", "text"), "text" if name == "embedded" else "json"
            )
            == "json",
            host=env.get("HOST", "127.0.0.1"),
            process=readers.integer(env, "TASKROOM_PROCESS", 1, 1, 999),
            trusted_proxies=readers.integer(env, "TRUSTED_PROXIES", 0, 0, 9),
            cors_origins=readers.origins(env),
            issuers=env.get("TASKROOM_ISSUERS", ""),
            bench=env.get("TASKROOM_BENCH", "0") == "1",
            content_roots=readers.content_roots(env),
            pool_size=readers.integer(env, "DATABASE_POOL_SIZE", 20, 1, 1000),
            keepalive_seconds=readers.integer(env, "KEEPALIVE_SECONDS", 15, 1, 300),
            ping_seconds=readers.integer(env, "PING_SECONDS", 25, 1, 300),
            streams_per_user=readers.integer(env, "STREAMS_PER_USER", 500, 1, 1_000_000),
            max_viewers=readers.integer(env, "MAX_VIEWERS", 15_000, 1, 1_000_000),
            starts_per_minute=readers.integer(env, "STARTS_PER_MINUTE", 120, 1, 1_000_000),
            steps_per_minute=readers.integer(env, "STEPS_PER_MINUTE", 1_200, 100, 1_000_000),
            changes_per_minute=readers.integer(env, "CHANGES_PER_MINUTE", 120, 1, 1_000_000),
            tickets_per_minute=readers.integer(env, "TICKETS_PER_MINUTE", 1_000, 1, 1_000_000),
            connects_per_minute=readers.integer(env, "CONNECTS_PER_MINUTE", 3_000, 5, 1_000_000),
            passwords_at_once=readers.integer(env, "PASSWORDS_AT_ONCE", 2, 1, 64),
            passwords_waiting=readers.integer(env, "PASSWORDS_WAITING", 16, 0, 1_000),
            metrics_token=env.get("METRICS_TOKEN", "").strip(),
            running_per_user=readers.integer(env, "RUNNING_PER_USER", 0, 0, 1_000_000),
            worker_spare_slots=readers.integer(env, "WORKER_SPARE_SLOTS", 1, 0, 256),
            requests_per_user=readers.integer(env, "REQUESTS_PER_USER", 5, 1, 1_000),
            retention_days=readers.integer(env, "TASKROOM_RETENTION_DAYS", 30, 0, 36_500),
            retention_events=readers.integer(env, "TASKROOM_RETENTION_EVENTS", 1_000_000, 0, 2**53),
            task_retention_days=readers.integer(env, "TASKROOM_TASK_RETENTION_DAYS", 365, 0, 36_500),
            waiting_days=readers.integer(env, "TASKROOM_WAITING_DAYS", 90, 0, 36_500),
            daily_bytes=readers.integer(env, "TASKROOM_DAILY_BYTES", 2_000_000_000, 0, 2**53),
            output_bytes=readers.integer(env, "TASKROOM_OUTPUT_BYTES", 1_000_000_000, 0, 2**53),
            sse_notifications=env.get("ENABLE_SSE_NOTIFICATIONS", "1").lower()
            not in ("0", "false", "no", "off"),
            webhook_allowed=readers.allowances(env),
            webhook_retry_seconds=readers.seconds(env, "WEBHOOK_RETRY_SECONDS", RETRY_SECONDS),
            upgrade_seconds=readers.integer(env, "UPGRADE_SECONDS", 10, 1, 3600),
            stalled_seconds=readers.integer(env, "STALLED_SECONDS", 30, 1, 3600),
            drain_seconds=readers.integer(env, "DRAIN_SECONDS", 8, 1, 3600),
            celery_queues=tuple(readers.listed(env, "CELERY_QUEUES")) or CELERY_QUEUES,
            jobs=readers.packages(env, JOBS),
            lease_round_seconds=readers.number(env, "LEASE_ROUND_SECONDS", 5.0, 1.0, 60.0),
            websocket_compression=env.get("WEBSOCKET_COMPRESSION", "0") == "1",
            access_token_seconds=readers.integer(env, "ACCESS_TOKEN_SECONDS", 15 * 60, 5, 24 * 3600),
        )
        config._refuse_insecure()
        return config

    def _refuse_insecure(self) -> None:
        if len(self.secret_key) < MINIMUM_SECRET_LENGTH:
            raise ConfigurationError(
                f"SECRET_KEY is shorter than {MINIMUM_SECRET_LENGTH} characters; "
                "make one with: python3 -c 'import secrets; print(secrets.token_hex(32))'"
            )
        if self.metrics_token and len(self.metrics_token) < MINIMUM_TOKEN_LENGTH:
            raise ConfigurationError(
                f"METRICS_TOKEN is shorter than {MINIMUM_TOKEN_LENGTH} characters; "
                "make one with: python3 -c 'import secrets; print(secrets.token_hex(16))'"
            )
        if self.bench and not self.embedded:
            raise ConfigurationError(
                "TASKROOM_BENCH=1 lifts limits and is refused in production, and where other machines can reach HOST; "
                "unset it"
            )
