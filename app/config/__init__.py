"""The typed configuration, read once from the environment."""

from __future__ import annotations

import ipaddress
import os
import re
import sysconfig
from dataclasses import dataclass, fields
from pathlib import Path

from app.config.environment import (
    Environment,
    listed,
    number,
    required,
    setting,
    switch,
    text,
    url,
    whole,
)
from app.errors import ConfigurationError
from app.outgoing.url_policy import Network, allowance

MINIMUM_SECRET_LENGTH, MINIMUM_TOKEN_LENGTH = 32, 16
QUEUE, QUICK_QUEUE = "taskroom", "quick"
CELERY_QUEUES = (QUEUE, QUICK_QUEUE)  # the queues of Celery workers; no other queue gets messages
JOBS = ("workers.jobs",)
POSTGRES = ("postgresql", "postgres", "postgresql+psycopg2")
_ORIGIN = re.compile(r"https?://([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
RETRY_SECONDS = (5.0, 60.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)


def is_loopback(host: str) -> bool:
    """Returns whether only this machine can connect to the host."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _is(env: Environment, name: str, wanted: str, other: str, default: str) -> bool:
    given = env.get(name) or default
    if given not in (wanted, other):
        raise ConfigurationError(f"{name} is {given!r}; set {wanted} or {other}")
    return given == wanted


def _wants_embedded(env: Environment) -> bool:
    return _is(env, "TASKROOM_ENV", "embedded", "production", default="production")


def _is_embedded(env: Environment) -> bool:
    return _wants_embedded(env) and is_loopback(env.get("HOST", "127.0.0.1"))


def _logs_json(env: Environment) -> bool:
    return _is(env, "LOG_FORMAT", "json", "text", default="text" if _wants_embedded(env) else "json")


def _shows_notifications(env: Environment) -> bool:
    return env.get("ENABLE_SSE_NOTIFICATIONS", "1").lower() not in ("0", "false", "no", "off")


def _origins(env: Environment, name: str) -> tuple[str, ...]:
    """Returns origins as browsers write them. The library of CORS would read wildcards as patterns,
    whose dots match any character."""
    origins = tuple(text.lower().rstrip("/") for text in listed(env, name))
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ConfigurationError(
                f"{name} may not hold {origin!r}; list the allowed origins, separated by commas: "
                "https://host or https://host:port, without *"
            )
    return origins


def _packages(env: Environment) -> tuple[str, ...]:
    names = listed(env, "TASKROOM_JOBS") or JOBS
    for name in names:
        if not all(part.isidentifier() for part in name.split(".")):
            raise ConfigurationError(
                f"TASKROOM_JOBS may not hold {name!r}; list packages as Python imports them, separated by commas: "
                "workers.jobs,shop.jobs"
            )
    return names


def _allowances(env: Environment) -> tuple[Network | str, ...]:
    name = "WEBHOOK_ALLOW_PRIVATE"
    try:
        return tuple(allowance(part) for part in listed(env, name))
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}; list networks (10.1.0.0/16) and names of hosts") from None


def _seconds(env: Environment, name: str) -> tuple[float, ...]:
    try:
        times = tuple(float(part) for part in listed(env, name)) or RETRY_SECONDS
    except ValueError:
        times = ()
    if not 0 < len(times) <= 10 or not all(0 < seconds <= 43_200 for seconds in times):
        raise ConfigurationError(f"{name}: list up to 10 times in seconds, at most 43200 each")
    return times


def _content_roots(env: Environment) -> tuple[Path, ...]:
    """Returns the folders that a knowledge_base run may read; the first is the default root of a run."""
    text = env.get("CONTENT_ROOTS", "")
    paths = [Path(p) for p in text.split(os.pathsep) if p] or [Path(sysconfig.get_paths()["purelib"])]
    missing = [str(p) for p in paths if not p.is_dir()]
    if missing:
        raise ConfigurationError(f"CONTENT_ROOTS names {missing[0]}, which is not a folder")
    return tuple(p.resolve() for p in paths)


def _outputs(env: Environment) -> str:
    """Returns the folder of the files that jobs save; empty when none is set."""
    home = env.get("TASKROOM_HOME")
    folder = env.get("TASKROOM_OUTPUTS") or (f"{home}/data/outputs" if home else "")
    return str(Path(folder).absolute()) if folder else ""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of web process, worker and beat. Times are in seconds, sizes in bytes.

    ``production`` is the default and refuses insecure settings. ``script/up`` sets ``TASKROOM_ENV=embedded`` for a run
    on one machine; with a HOST that other machines can reach, this is production too.
    """

    secret_key: str = setting(required, "SECRET_KEY", repr=False)
    database_url: str = setting(url, "DATABASE_URL", POSTGRES, repr=False)
    redis_url: str = setting(url, "REDIS_URL", ("redis", "rediss", "unix"), repr=False)
    embedded: bool = setting(_is_embedded, default=False)
    port: int = whole("PORT", 8000, 1, 65535)
    worker_metrics_port: int = whole("WORKER_METRICS_PORT", 0, 0, 65535)  # 0: a worker has no metrics page
    host: str = text("HOST", "127.0.0.1")
    log_json: bool = setting(_logs_json, default=True)  # else lines for people
    # The number of this web process: Engine.IO session ids begin with it, and nginx routes them by it.
    process: int = whole("TASKROOM_PROCESS", 1, 1, 999)
    trusted_proxies: int = whole("TRUSTED_PROXIES", 0, 0, 9)  # in front; each adds to X-Forwarded-For
    cors_origins: tuple[str, ...] = setting(_origins, "CORS_ORIGINS", default=())
    embed_origins: tuple[str, ...] = setting(_origins, "EMBED_ORIGINS", default=())  # may frame /embed
    # A JSON list of other token issuers, or its path; app/auth/issuers.py reads it.
    issuers: str = text("TASKROOM_ISSUERS")
    bench: bool = switch("TASKROOM_BENCH")
    content_roots: tuple[Path, ...] = setting(_content_roots, default=())
    pool_size: int = whole("DATABASE_POOL_SIZE", 20, 1, 1000)
    access_token_seconds: int = whole("ACCESS_TOKEN_SECONDS", 15 * 60, 5, 24 * 3600)
    refresh_token_seconds: int = 30 * 24 * 3600
    ticket_seconds: int = 30
    keepalive_seconds: float = whole("KEEPALIVE_SECONDS", 15, 1, 300)
    ping_seconds: int = whole("PING_SECONDS", 25, 1, 300)  # of Socket.IO; the response is due within 20 s
    # From a WebSocket's handshake until the polling client uses it.
    upgrade_seconds: float = whole("UPGRADE_SECONDS", 10, 1, 3600)
    stalled_seconds: float = whole("STALLED_SECONDS", 30, 1, 3600)  # of a viewer that reads nothing
    drain_seconds: float = whole("DRAIN_SECONDS", 8, 1, 3600)  # less than the limit to end the process
    websocket_compression: bool = switch("WEBSOCKET_COMPRESSION")
    # After four rounds without a report of its worker, a task is lost.
    lease_round_seconds: float = setting(number, "LEASE_ROUND_SECONDS", 5.0, 1.0, 60.0, default=5.0)
    celery_queues: tuple[str, ...] = setting(listed, "CELERY_QUEUES", CELERY_QUEUES, default=CELERY_QUEUES)
    jobs: tuple[str, ...] = setting(_packages, default=JOBS)  # the packages with the job types of a worker
    source_lines: bool = switch("TASKROOM_SOURCE_LINES", True)  # of jobs, beside the errors of their tasks
    body_limit: int = 2 * 1024 * 1024
    streams_per_user: int = whole("STREAMS_PER_USER", 500, 1, 1_000_000)
    max_viewers: int = whole("MAX_VIEWERS", 15_000, 1, 1_000_000)  # of this process
    # Limits of a user; an address may do ten times as much.
    starts_per_minute: int = whole("STARTS_PER_MINUTE", 120, 1, 1_000_000)
    steps_per_minute: int = whole("STEPS_PER_MINUTE", 1_200, 100, 1_000_000)  # in the parameters of starts
    # Webhooks created and enabled, pings, announcements, API keys: each adds rows.
    changes_per_minute: int = whole("CHANGES_PER_MINUTE", 120, 1, 1_000_000)
    tickets_per_minute: int = whole("TICKETS_PER_MINUTE", 1_000, 1, 1_000_000)
    connects_per_minute: int = whole("CONNECTS_PER_MINUTE", 3_000, 5, 1_000_000)
    passwords_at_once: int = whole("PASSWORDS_AT_ONCE", 2, 1, 64)  # each takes 64 MB while it is checked
    passwords_waiting: int = whole("PASSWORDS_WAITING", 16, 0, 1_000)
    running_per_user: int = whole("RUNNING_PER_USER", 0, 0, 1_000_000)  # 0: all slots except the spare ones
    worker_spare_slots: int = whole("WORKER_SPARE_SLOTS", 1, 0, 256)  # for users who have fewer running
    requests_per_user: int = whole("REQUESTS_PER_USER", 5, 1, 1_000)  # at a time; further requests wait
    sse_notifications: bool = setting(_shows_notifications, default=True)  # else clients poll
    # Private networks and hosts that webhooks may call.
    webhook_allowed: tuple[Network | str, ...] = setting(_allowances, default=())
    # The times before the retries of a webhook.
    webhook_retry_seconds: tuple[float, ...] = setting(
        _seconds, "WEBHOOK_RETRY_SECONDS", default=RETRY_SECONDS
    )
    metrics_token: str = text("METRICS_TOKEN", repr=False)  # a request for /metrics must have it
    # Days for which a finished task's events and the task are kept, and for which a task may wait; 0: for ever.
    retention_days: int = whole("TASKROOM_RETENTION_DAYS", 30, 0, 36_500)
    task_retention_days: int = whole("TASKROOM_TASK_RETENTION_DAYS", 365, 0, 36_500)
    waiting_days: int = whole("TASKROOM_WAITING_DAYS", 90, 0, 36_500)
    trail_days: int = whole("TASKROOM_TRAIL_DAYS", 365, 0, 36_500)  # of who did what; 0: for ever
    # 0: no limit. Events of a stream; bytes of a user's tasks in a day; bytes of all files that jobs have saved.
    retention_events: int = whole("TASKROOM_RETENTION_EVENTS", 1_000_000, 0, 2**53)
    daily_bytes: int = whole("TASKROOM_DAILY_BYTES", 2_000_000_000, 0, 2**53)
    output_bytes: int = whole("TASKROOM_OUTPUT_BYTES", 10_000_000_000, 0, 2**53)
    output_file_bytes: int = whole("TASKROOM_OUTPUT_FILE_BYTES", 100_000_000, 1, 2**53)
    output_run_bytes: int = whole("TASKROOM_OUTPUT_RUN_BYTES", 500_000_000, 1, 2**53)
    outputs: str = setting(_outputs, default="")  # the folder; empty: no outputs are saved

    @property
    def sqlalchemy_url(self) -> str:
        """The URL with the driver: SQLAlchemy 2.1 uses psycopg 3 for ``postgresql://``."""
        return "postgresql+psycopg2://" + self.database_url.split("://", 1)[1]

    @property
    def daily_budget(self) -> int:
        """The bytes that a user's tasks may store in a day; 0: no limit."""
        return 0 if self.bench else self.daily_bytes

    @property
    def cookie_secure(self) -> bool:
        return not self.embedded

    @classmethod
    def from_env(cls, env: Environment = os.environ) -> Config:
        """Reads all settings. Raises ConfigurationError with one line that names the setting to change."""
        config = cls(**{f.name: f.metadata["read"](env) for f in fields(cls) if f.metadata})
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
                "TASKROOM_BENCH=1 removes limits; it is refused in production, and when other machines can reach HOST; "
                "unset it"
            )
