"""The application's own processes as data: steps that run once, services that run on."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from app.config import is_loopback
from app.up import nginx
from app.up.embedded import free_port
from app.up.home import Home
from app.up.process import Child, Process
from app.up.settings import CHECKOUT, Settings


@dataclass(frozen=True, slots=True)
class Plan:
    migrate: Child  # runs to its end before the services start
    account: Child  # runs to its end while they do
    services: tuple[Child, ...]  # started together, stopped the last one first, a group at once


def environment(settings: Settings, home: Home, database_url: str, redis_url: str) -> dict[str, str]:
    """What every process of the application is given; what the operator set passes through."""
    env = dict(os.environ)
    env.pop("DEMO_PASSWORD", None)  # only the account step needs it
    return env | ours(settings, home, database_url, redis_url)


def ours(settings: Settings, home: Home, database_url: str, redis_url: str) -> dict[str, str]:
    """What of it makes a process one of this installation."""
    return {
        # Also of the processes behind nginx, which listen on the loopback themselves.
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
        "PYTHONUNBUFFERED": "1",  # a log that lags behind hides the reason of a death
    }


def application(settings: Settings, home: Home, env: Mapping[str, str], demo_password: str) -> Plan:
    def step(name: str, *arguments: str, **extra: str) -> Child:
        command = (sys.executable, "-m", "app.cli", *arguments)
        return Child(name, command, CHECKOUT, env={**env, **extra}, sheds=True, keeps_pid_file=False)

    celery = (sys.executable, "-m", "celery", "-A", "workers.celery_app")
    return Plan(
        migrate=step("migrate", "migrate"),
        account=step(
            # What an administrator made of it since stays; the password is the one that is printed.
            *("account", "account", settings.demo_email, "--role", "operator", "--keep"),
            ACCOUNT_PASSWORD=demo_password,
        ),
        services=(
            *_web(settings, home, env),
            Child(
                name="worker",
                command=(
                    *(*celery, "worker", "--loglevel", "INFO", "--queues", "taskroom,quick"),
                    *("--concurrency", str(settings.worker_concurrency), "--hostname", "taskroom@%h"),
                    *("--without-gossip", "--without-mingle"),  # one worker has nobody to talk to
                ),
                folder=CHECKOUT,
                env=env,
                sheds=True,
                ready=logged(b" ready."),
                # Warm, for what is nearly done; then cold, which ends the others in order or has them run again.
                stages=((signal.SIGTERM, 8.0), (signal.SIGQUIT, 8.0)),
                orphan_signal=signal.SIGQUIT,  # warm would wait for a task whose database has gone
            ),
            Child(
                name="beat",
                # No pid file of its own: one left behind by a crash would keep the next beat from starting.
                command=(
                    *(*celery, "beat", "--loglevel", "INFO"),
                    *("--schedule", str(home.data / "beat-schedule"), "--pidfile="),
                ),
                folder=CHECKOUT,
                env=env,
                sheds=True,
                ready=logged(b"beat: Starting"),
            ),
        ),
    )


def _web(settings: Settings, home: Home, env: Mapping[str, str]) -> tuple[Child, ...]:
    """One web process at the public port, or nginx there and several at ports of their own."""

    def process(number: int, url: str, **more: str) -> Child:
        return Child(
            name=f"web-{number}",
            command=(sys.executable, "wsgi.py"),
            folder=CHECKOUT,
            env={**env, **more},
            ready=answers(url + "/readyz"),
            stages=((signal.SIGTERM, 15.0),),
            sheds=True,
            group="web",  # one after the other, each would send its viewers to the next that goes
        )

    if settings.web_processes == 1:
        return (process(1, settings.url),)
    ports: list[int] = []
    while len(ports) < settings.web_processes:
        if (port := free_port()) not in (settings.port, *ports):
            ports.append(port)
    proxies = str(settings.trusted_proxies + 1)
    processes = {number: f"127.0.0.1:{port}" for number, port in enumerate(ports, 1)}
    # nginx is first, so it ends last: until then it answers whom the web processes have sent away.
    return (
        nginx.child(home, settings.listen, processes, answers(settings.url + "/readyz")),
        *(
            process(
                *(number, f"http://{address}"),
                HOST="127.0.0.1",
                PORT=address.rpartition(":")[2],
                TASKROOM_PROCESS=str(number),
                TRUSTED_PROXIES=proxies,
            )
            for number, address in processes.items()
        ),
    )


def answers(url: str) -> Callable[[Process], bool]:
    """Ready when GET of this address is 200."""

    def ready(_: Process) -> bool:
        try:
            return httpx.get(url, timeout=2, trust_env=False).status_code == 200  # no proxy for the loopback
        except httpx.TransportError:
            return False

    return ready


def logged(text: bytes) -> Callable[[Process], bool]:
    """Ready when its log says so, where nothing listens that could be asked."""
    return lambda process: text in process.log_since_start()
