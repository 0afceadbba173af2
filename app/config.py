"""One typed configuration, read once from the environment."""

from __future__ import annotations

import ipaddress
import os
import re
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import ConfigurationError
from app.outgoing.url_policy import Network, allowance

MINIMUM_SECRET_LENGTH = 32
MINIMUM_TOKEN_LENGTH = 16
QUEUE, QUICK_QUEUE = "taskroom", "quick"
CELERY_QUEUES = (QUEUE, QUICK_QUEUE)
JOBS = ("workers.jobs",)
_ORIGIN = re.compile(r"https?://([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
RETRY_SECONDS = (5.0, 60.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of web process, worker and beat. Times are in seconds, sizes in bytes.

    ``production`` is the default and refuses what is insecure; ``script/up`` sets
    ``TASKROOM_ENV=embedded`` for its own run on one machine. That is for this machine alone: at a HOST that others
    reach it is production all the same.
    """

    secret_key: str = field(repr=False)
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    embedded: bool = False
    port: int = 8000
    worker_metrics_port: int = 0  # where a worker tells its metrics; 0: nowhere
    host: str = "127.0.0.1"
    log_json: bool = True  # else one line that a person reads
    process: int = 1  # which web process this is: Engine.IO session ids begin with it, and nginx maps them
    trusted_proxies: int = 0  # how many proxies stand in front and add to X-Forwarded-For
    cors_origins: tuple[str, ...] = ()
    issuers: str = ""  # a JSON list of who else may make tokens, or its path; app/auth/issuers.py reads it
    bench: bool = False
    content_roots: tuple[Path, ...] = ()
    pool_size: int = 20
    access_token_seconds: int = 15 * 60
    refresh_token_seconds: int = 30 * 24 * 3600
    ticket_seconds: int = 30
    keepalive_seconds: float = 15.0
    ping_seconds: int = 25  # of Socket.IO; who does not answer within 20 s more is gone
    upgrade_seconds: float = 10.0  # from a WebSocket's handshake until a polling client has gone over to it
    stalled_seconds: float = 30.0  # a viewer that takes nothing for so long is dropped
    drain_seconds: float = 8.0  # for requests in flight at the end; less than the process is given to end
    websocket_compression: bool = False
    lease_round_seconds: float = 5.0  # a task whose worker is silent for four of them is lost
    celery_queues: tuple[str, ...] = CELERY_QUEUES  # that Celery workers serve; no other gets messages
    jobs: tuple[str, ...] = JOBS  # the packages whose job types a worker has
    body_limit: int = 2 * 1024 * 1024
    streams_per_user: int = 500
    max_viewers: int = 15_000  # of this process
    starts_per_minute: int = 120  # of a user; an address may do ten times as much of each of these
    steps_per_minute: int = 1_200  # that these starts ask for
    changes_per_minute: int = 120  # webhooks made and enabled, pings, announcements: each leaves rows behind
    tickets_per_minute: int = 1_000
    connects_per_minute: int = 3_000
    passwords_at_once: int = 2  # of this process; each takes 64 MB while it is checked
    passwords_waiting: int = 16
    running_per_user: int = 0  # tasks at a time, among Celery workers; 0: all slots but the spare ones
    worker_spare_slots: int = 1  # of a worker, beside its concurrency: for users who have fewer running
    requests_per_user: int = 5  # that are answered at once; the others of the same user wait
    sse_notifications: bool = True  # off: the notification streams are not there, and clients poll
    webhook_allowed: tuple[Network | str, ...] = ()  # private, and may be called by webhooks all the same
    webhook_retry_seconds: tuple[float, ...] = RETRY_SECONDS  # before each next try
    metrics_token: str = field(default="", repr=False)  # who asks for /metrics shows it
    retention_days: int = 30  # how long a finished task's events are kept; 0: for ever
    retention_events: int = 1_000_000  # of one stream, at most; 0: all
    task_retention_days: int = 365  # how long a finished task is kept; 0: for ever
    waiting_days: int = 90  # how long a task waits for an approval or a worker; 0: for ever
    daily_bytes: int = (
        2_000_000_000  # that a user's tasks may store on a day before starts are refused; 0: any
    )
    output_bytes: int = (
        1_000_000_000  # of what knowledge_base writes on one machine; the oldest go; 0: all stay
    )

    @property
    def sqlalchemy_url(self) -> str:
        """SQLAlchemy 2.1 takes a bare ``postgresql://`` for psycopg 3, so name the driver."""
        return "postgresql+psycopg2://" + self.database_url.split("://", 1)[1]

    @property
    def cookie_secure(self) -> bool:
        return not self.embedded

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Config:
        """Raises ConfigurationError with one line that says what to set."""
        name = env.get("TASKROOM_ENV", "production")
        if name not in ("production", "embedded"):
            raise ConfigurationError(f"TASKROOM_ENV is {name!r}; set it to production or embedded")
        config = cls(
            secret_key=_required(env, "SECRET_KEY"),
            # libpq takes no driver's name in it.
            database_url=_url(env, "DATABASE_URL", ("postgresql", "postgres", "postgresql+psycopg2")).replace(
                "postgresql+psycopg2://", "postgresql://", 1
            ),
            redis_url=_url(env, "REDIS_URL", ("redis", "rediss", "unix")),
            embedded=name == "embedded" and is_loopback(env.get("HOST", "127.0.0.1")),
            port=_integer(env, "PORT", 8000, 1, 65535),
            worker_metrics_port=_integer(env, "WORKER_METRICS_PORT", 0, 0, 65535),
            log_json=_choice(env, "LOG_FORMAT", ("json", "text"), name == "embedded") == "json",
            host=env.get("HOST", "127.0.0.1"),
            process=_integer(env, "TASKROOM_PROCESS", 1, 1, 999),
            trusted_proxies=_integer(env, "TRUSTED_PROXIES", 0, 0, 9),
            cors_origins=_origins(env),
            issuers=env.get("TASKROOM_ISSUERS", ""),
            bench=env.get("TASKROOM_BENCH", "0") == "1",
            content_roots=_content_roots(env),
            pool_size=_integer(env, "DATABASE_POOL_SIZE", 20, 1, 1000),
            keepalive_seconds=_integer(env, "KEEPALIVE_SECONDS", 15, 1, 300),
            ping_seconds=_integer(env, "PING_SECONDS", 25, 1, 300),
            streams_per_user=_integer(env, "STREAMS_PER_USER", 500, 1, 1_000_000),
            max_viewers=_integer(env, "MAX_VIEWERS", 15_000, 1, 1_000_000),
            starts_per_minute=_integer(env, "STARTS_PER_MINUTE", 120, 1, 1_000_000),
            steps_per_minute=_integer(env, "STEPS_PER_MINUTE", 1_200, 100, 1_000_000),
            changes_per_minute=_integer(env, "CHANGES_PER_MINUTE", 120, 1, 1_000_000),
            tickets_per_minute=_integer(env, "TICKETS_PER_MINUTE", 1_000, 1, 1_000_000),
            connects_per_minute=_integer(env, "CONNECTS_PER_MINUTE", 3_000, 5, 1_000_000),
            passwords_at_once=_integer(env, "PASSWORDS_AT_ONCE", 2, 1, 64),
            passwords_waiting=_integer(env, "PASSWORDS_WAITING", 16, 0, 1_000),
            metrics_token=env.get("METRICS_TOKEN", "").strip(),
            running_per_user=_integer(env, "RUNNING_PER_USER", 0, 0, 1_000_000),
            worker_spare_slots=_integer(env, "WORKER_SPARE_SLOTS", 1, 0, 256),
            requests_per_user=_integer(env, "REQUESTS_PER_USER", 5, 1, 1_000),
            retention_days=_integer(env, "TASKROOM_RETENTION_DAYS", 30, 0, 36_500),
            retention_events=_integer(env, "TASKROOM_RETENTION_EVENTS", 1_000_000, 0, 2**53),
            task_retention_days=_integer(env, "TASKROOM_TASK_RETENTION_DAYS", 365, 0, 36_500),
            waiting_days=_integer(env, "TASKROOM_WAITING_DAYS", 90, 0, 36_500),
            daily_bytes=_integer(env, "TASKROOM_DAILY_BYTES", 2_000_000_000, 0, 2**53),
            output_bytes=_integer(env, "TASKROOM_OUTPUT_BYTES", 1_000_000_000, 0, 2**53),
            sse_notifications=env.get("ENABLE_SSE_NOTIFICATIONS", "1").lower()
            not in ("0", "false", "no", "off"),
            webhook_allowed=_allowances(env),
            webhook_retry_seconds=_seconds(env, "WEBHOOK_RETRY_SECONDS", RETRY_SECONDS),
            upgrade_seconds=_integer(env, "UPGRADE_SECONDS", 10, 1, 3600),
            stalled_seconds=_integer(env, "STALLED_SECONDS", 30, 1, 3600),
            drain_seconds=_integer(env, "DRAIN_SECONDS", 8, 1, 3600),
            celery_queues=tuple(_listed(env, "CELERY_QUEUES")) or CELERY_QUEUES,
            jobs=_packages(env),
            lease_round_seconds=_number(env, "LEASE_ROUND_SECONDS", 5.0, 1.0, 60.0),
            websocket_compression=env.get("WEBSOCKET_COMPRESSION", "0") == "1",
            access_token_seconds=_integer(env, "ACCESS_TOKEN_SECONDS", 15 * 60, 5, 24 * 3600),
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
                "TASKROOM_BENCH=1 lifts limits and is refused in production, which is also where HOST lets others in; "
                "unset it"
            )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "").strip()
    if not value:
        raise ConfigurationError(f"{name} is not set; script/up sets it for a run on one machine")
    return value


def _url(env: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str:
    value = _required(env, name)
    scheme = value.split("://", 1)[0]
    if "://" not in value or scheme not in schemes:
        raise ConfigurationError(f"{name} must begin with {schemes[0]}://")
    return value


def _integer(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdecimal() or not low <= int(text) <= high:
        raise ConfigurationError(f"{name} is {text!r}; set a whole number from {low} to {high}")
    return int(text)


def _number(env: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    text = env.get(name) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not low <= number <= high:
        raise ConfigurationError(f"{name} is {text!r}; set a number from {low:g} to {high:g}")
    return number


def _listed(env: Mapping[str, str], name: str) -> list[str]:
    return [part for part in (p.strip() for p in env.get(name, "").split(",")) if part]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _origins(env: Mapping[str, str]) -> tuple[str, ...]:
    """As a browser writes them. What stands for many would be read as a pattern, whose dots are anything too."""
    origins = tuple(text.lower().rstrip("/") for text in _listed(env, "CORS_ORIGINS"))
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ConfigurationError(
                f"CORS_ORIGINS may not hold {origin!r}; list the origins that may call, separated by commas: "
                "https://host or https://host:port, without *"
            )
    return origins


def _packages(env: Mapping[str, str]) -> tuple[str, ...]:
    names = tuple(_listed(env, "TASKROOM_JOBS")) or JOBS
    for name in names:
        if not all(part.isidentifier() for part in name.split(".")):
            raise ConfigurationError(
                f"TASKROOM_JOBS may not hold {name!r}; list packages as Python imports them, separated by commas: "
                "workers.jobs,shop.jobs"
            )
    return names


def _allowances(env: Mapping[str, str]) -> tuple[Network | str, ...]:
    name = "WEBHOOK_ALLOW_PRIVATE"
    try:
        return tuple(allowance(part) for part in _listed(env, name))
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}; list networks (10.1.0.0/16) and names of hosts") from None


def _seconds(env: Mapping[str, str], name: str, default: tuple[float, ...]) -> tuple[float, ...]:
    try:
        times = tuple(float(part) for part in _listed(env, name)) or default
    except ValueError:
        times = ()
    if not 0 < len(times) <= 10 or not all(0 < seconds <= 43_200 for seconds in times):
        raise ConfigurationError(f"{name}: list up to 10 times in seconds, at most 43200 each")
    return times


def _choice(env: Mapping[str, str], name: str, words: tuple[str, ...], default: int) -> str:
    word = env.get(name) or words[default]
    if word not in words:
        raise ConfigurationError(f"{name} is {word!r}; set {' or '.join(words)}")
    return word


def _content_roots(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Folders that a knowledge_base run may read; the first is the default root of a run."""
    text = env.get("CONTENT_ROOTS", "")
    paths = [Path(p) for p in text.split(os.pathsep) if p] or [Path(sysconfig.get_paths()["purelib"])]
    missing = [str(p) for p in paths if not p.is_dir()]
    if missing:
        raise ConfigurationError(f"CONTENT_ROOTS names {missing[0]}, which is no folder")
    return tuple(p.resolve() for p in paths)
