"""``python -m app.up``: what ``script/up`` runs once everything is installed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial

import httpx

from app.green.listener import raise_file_limit
from app.up import migrated, nginx, survivors
from app.up.embedded_postgres import EmbeddedPostgres
from app.up.embedded_redis import EmbeddedRedis
from app.up.errors import UpError
from app.up.home import Home
from app.up.process_plan import Demo, ProcessPlan, application_plan, child_environment, taskroom_environment
from app.up.rights import drop_rights
from app.up.server_checks import check_postgres, check_redis
from app.up.settings import Settings
from app.up.supervisor import StopRequested, Supervisor

MakePlan = Callable[[Settings, Home, Mapping[str, str], Demo], ProcessPlan]


def main(make_plan: MakePlan = application_plan) -> int:
    """Runs until a signal arrives; returns the exit code. ``make_plan`` names the application's processes."""
    try:
        settings = Settings.from_env(os.environ)
        home = Home.open(settings.home)
        home.lock()
        _end_survivors(home)  # before the check of the port, which they may hold
        settings.check_port()
        if settings.web_processes > 1:
            nginx.require_nginx()
        raise_file_limit()
        supervisor = Supervisor(home, print_line)
        try:
            _start_all(settings, home, supervisor, make_plan)
            supervisor.watch()
        except StopRequested:
            print_line("stopping")
        finally:
            supervisor.stop()
    except UpError as error:
        if error.log_tail:
            print(error.log_tail, file=sys.stderr)
        print(f"taskroom: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, or a file of another user
        print(f"taskroom: {error}; correct this and start again", file=sys.stderr)
        return 1
    print_line("stopped")
    return 0


def print_line(line: str) -> None:
    try:
        print(line, flush=True)
    except OSError:  # the reader of stdout is gone; the children must go on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _start_all(settings: Settings, home: Home, supervisor: Supervisor, make_plan: MakePlan) -> None:
    database_url, redis_url = settings.database_url, settings.redis_url
    if database_url:
        check_postgres(database_url)
    if redis_url:
        check_redis(redis_url)
    if not database_url:
        # Each web process has its own pool of connections.
        postgres = EmbeddedPostgres(home, max_connections=75 + 25 * settings.web_processes)
        postgres.prepare()
        supervisor.start(postgres.child)
        database_url = postgres.url
        print_line(f"postgres {postgres.major} on 127.0.0.1:{postgres.port}")
    if not redis_url:
        server = EmbeddedRedis(home)
        supervisor.start(server.child)
        redis_url = server.url
        print_line(f"redis on 127.0.0.1:{server.port}")
    supervisor.wait_until_ready()
    demo = Demo.of(settings, home)
    own = taskroom_environment(settings, home, database_url, redis_url)
    plan = make_plan(settings, home, child_environment(own), demo)
    if not migrated.is_current(home, database_url):
        print_line("migrate")
        supervisor.run(plan.migrate)
        migrated.record(home, database_url)
    home.write_environment(own)
    print_line(", ".join(service.name for service in plan.services))
    if os.geteuid() == 0 and not drop_rights():
        print_line("these processes keep all rights of root on this machine; run script/up as another user")
    supervisor.start(*plan.services)
    supervisor.run(plan.account)
    supervisor.wait_until_ready()
    run = _demo_line(settings, demo.password) if settings.demo_run else None
    print_line(f"ready {settings.url}")
    print_line(f"login {settings.demo_email} {demo.password}")
    print_line(f"key {demo.key}")
    if run:
        print_line(run)


def _demo_line(settings: Settings, password: str) -> str:
    """Starts the demo run and returns a line about it. A failure ends nothing: the other processes work without it."""
    login = {"email": settings.demo_email, "password": password}
    try:
        with httpx.Client(base_url=settings.url, timeout=10, trust_env=False) as client:
            answer = client.post("/api/v2/auth/login", json=login)
            answer.raise_for_status()
            answer = client.post(
                "/api/v2/agent/start",
                json={"job_type": "knowledge_base", "params": {}},
                headers={"Authorization": f"Bearer {answer.json()['access_token']}"},
            )
            answer.raise_for_status()
            return f"demo run {settings.url}/runs/{answer.json()['task_id']}"
    except (httpx.HTTPError, ValueError, KeyError) as error:
        return f"the demo run could not be started ({error}); TASKROOM_DEMO_RUN=0 turns it off"


def _end_survivors(home: Home) -> None:
    """Ends the processes of this home that have lost their supervisor. Call it while this process holds the lock."""
    find = partial(survivors.processes_of, home.root)
    ended = survivors.terminate(find, ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)))
    if ended:
        print_line(f"ended {ended} processes that an earlier run left behind")
    for stale in home.run.glob("*.pid"):
        stale.unlink()


if __name__ == "__main__":
    sys.exit(main())
