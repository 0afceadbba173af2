"""The application's own processes as data: steps that run once, and services that keep running."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from app.config import is_loopback
from app.up import nginx
from app.up.embedded import free_port
from app.up.home import Home
from app.up.process import Child, Process
from app.up.settings import CHECKOUT, Settings


@dataclass(frozen=True, slots=True)
class Demo:
    """What a user of the demo account needs; both are printed."""

    password: str = field(repr=False)
    key: str = field(repr=False)

    @classmethod
    def of(cls, settings: Settings, home: Home) -> Demo:
        """The operator's own values, else the random ones of the home."""
        secrets = home.secrets
        return cls(settings.demo_password or secrets.demo_password, settings.demo_key or secrets.demo_key)


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    migrate: Child  # runs to its end before the services start
    account: Child  # runs to its end while the services start
    services: tuple[Child, ...]  # started together, stopped in reverse order, each group at once


def taskroom_environment(settings: Settings, home: Home, database_url: str, redis_url: str) -> dict[str, str]:
    """The variables that make a process a part of this installation."""
    return {
        # The public host decides, also for the processes behind nginx, which listen on the loopback.
        "TASKROOM_ENV": os.environ.get("TASKROOM_ENV", "embedded")
        if is_loopback(settings.host)
        else "production",
        "LOG_FORMAT": os.environ.get("LOG_FORMAT") or "text",
        "SECRET_KEY": os.environ.get("SECRET_KEY", home.secrets.secret_key),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "HOST": settings.host,
        "PORT": str(settings.port),
        "TASKROOM_HOME": str(home.root),
        "WORKER_CONCURRENCY": str(settings.worker_concurrency),
        "PYTHONUNBUFFERED": "1",  # buffered lines would be missing from the log after a crash
    }


def child_environment(own: Mapping[str, str]) -> dict[str, str]:
    """The operator's environment with the variables of this installation, for each process of the application."""
    # Only the account step needs the password and the API key.
    hidden = ("DEMO_PASSWORD", "DEMO_KEY")
    return {name: value for name, value in os.environ.items() if name not in hidden} | dict(own)


def application_plan(settings: Settings, home: Home, env: Mapping[str, str], demo: Demo) -> ProcessPlan:
    def step(name: str, *arguments: str, **more: str) -> Child:
        command = (sys.executable, "-m", "app.cli", *arguments)
        return Child(name, command, CHECKOUT, env={**env, **more}, drops_rights=True, has_pid_file=False)

    celery = (sys.executable, "-m", "celery", "-A", "workers.celery_app")
    return ProcessPlan(
        migrate=step("migrate", "migrate"),
        account=step(
            # --keep: the role and tenant that an administrator has set stay. Password and key become the printed ones.
            *("account", "account", settings.demo_email, "--role", "operator", "--keep"),
            ACCOUNT_PASSWORD=demo.password,
            ACCOUNT_KEY=demo.key,
        ),
        services=(
            *_web(settings, home, env),
            Child(
                name="worker",
                command=(
                    *(*celery, "worker", "--loglevel", "INFO", "--queues", "taskroom,quick"),
                    *("--concurrency", str(settings.worker_concurrency), "--hostname", "taskroom@%h"),
                    *("--without-gossip", "--without-mingle"),  # there is no other worker
                ),
                folder=CHECKOUT,
                env=env,
                drops_rights=True,
                ready=log_contains(b" ready."),
                # Warm shutdown: tasks that are nearly done finish. Cold shutdown: the others end in order or run again.
                stop_signals=((signal.SIGTERM, 8.0), (signal.SIGQUIT, 8.0)),
                parent_death_signal=signal.SIGQUIT,  # warm would wait for a task whose database is gone
            ),
            Child(
                name="beat",
                # No pid file of beat's own: after a crash it would keep the next beat from starting.
                command=(
                    *(*celery, "beat", "--loglevel", "INFO"),
                    *("--schedule", str(home.data / "beat-schedule"), "--pidfile="),
                ),
                folder=CHECKOUT,
                env=env,
                drops_rights=True,
                ready=log_contains(b"beat: Starting"),
            ),
        ),
    )


def _web(settings: Settings, home: Home, env: Mapping[str, str]) -> tuple[Child, ...]:
    """One web process at the public port; or nginx at the public port and several web processes at other ports."""

    def process(number: int, url: str, **more: str) -> Child:
        return Child(
            name=f"web-{number}",
            command=(sys.executable, "wsgi.py"),
            folder=CHECKOUT,
            env={**env, **more},
            ready=http_ready(url + "/readyz"),
            stop_signals=((signal.SIGTERM, 15.0),),
            drops_rights=True,
            group="web",  # stopped one by one, each would send its viewers to a process that stops next
        )

    if settings.web_processes == 1:
        return (process(1, settings.url),)
    ports: list[int] = []
    while len(ports) < settings.web_processes:
        if (port := free_port()) != settings.port:
            ports.append(port)
    processes = {number: f"127.0.0.1:{port}" for number, port in enumerate(ports, 1)}
    # nginx is first, so it stops last: it still answers the viewers that the web processes send away at their end.
    return (
        nginx.child(home, settings.nginx_listen, processes, http_ready(settings.url + "/readyz")),
        *(
            process(
                *(number, f"http://{address}"),
                HOST="127.0.0.1",
                PORT=address.rpartition(":")[2],
                TASKROOM_PROCESS=str(number),
                TRUSTED_PROXIES=str(settings.trusted_proxies + 1),
            )
            for number, address in processes.items()
        ),
    )


def http_ready(url: str) -> Callable[[Process], bool]:
    """Ready when a GET of this URL is answered with 200."""

    def ready(_: Process) -> bool:
        try:
            return httpx.get(url, timeout=2, trust_env=False).status_code == 200  # no proxy for the loopback
        except httpx.TransportError:
            return False

    return ready


def log_contains(text: bytes) -> Callable[[Process], bool]:
    """Ready when the log since the start contains this text; for a process that listens at no port."""
    return lambda process: text in process.log_since_start()
