"""``python -m app.up``: what ``script/up`` runs once everything is installed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial

from app.green.listener import raise_file_limit
from app.up import migrated, nginx, survivors
from app.up.demo import start_demo_run
from app.up.embedded_postgres import EmbeddedPostgres
from app.up.embedded_redis import EmbeddedRedis
from app.up.errors import UpError
from app.up.external import check_postgres, check_redis
from app.up.home import Home
from app.up.identity import shedding
from app.up.plan import Plan, application, environment, ours
from app.up.settings import Settings
from app.up.supervisor import Stopped, Supervisor

MakePlan = Callable[[Settings, Home, Mapping[str, str], str], Plan]


def main(make_plan: MakePlan = application) -> int:
    """Runs until a signal ends it; the exit code. ``make_plan`` names the application's processes."""
    try:
        settings = Settings.from_env(os.environ)
        home = Home.open(settings.home)
        home.lock()
        _end_survivors(home)  # before the port is looked at, which they may hold
        settings.check_port()
        if settings.web_processes > 1:
            nginx.program()
        raise_file_limit()
        supervisor = Supervisor(home, say)
        try:
            _up(settings, home, supervisor, make_plan)
            supervisor.watch()
        except Stopped:
            say("stopping")
        finally:
            supervisor.stop()
    except UpError as error:
        if error.tail:
            print(error.tail, file=sys.stderr)
        print(f"taskroom: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, a file that is another user's
        print(f"taskroom: {error}; mend that and start again", file=sys.stderr)
        return 1
    say("stopped")
    return 0


def say(line: str) -> None:
    try:
        print(line, flush=True)
    except OSError:  # whoever read our lines has gone; what we keep alive must not go with them
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _up(settings: Settings, home: Home, supervisor: Supervisor, make_plan: MakePlan) -> None:
    database_url, redis_url = settings.database_url, settings.redis_url
    if database_url:
        check_postgres(database_url)
    if redis_url:
        check_redis(redis_url)
    if not database_url:
        # Each web process has a pool of its own.
        postgres = EmbeddedPostgres(home, home.secrets, max_connections=75 + 25 * settings.web_processes)
        postgres.prepare()
        supervisor.start(postgres.child)
        database_url = postgres.url
        say(f"postgres {postgres.major} on 127.0.0.1:{postgres.port}")
    if not redis_url:
        server = EmbeddedRedis(home, home.secrets)
        supervisor.start(server.child)
        redis_url = server.url
        say(f"redis on 127.0.0.1:{server.port}")
    supervisor.wait_until_ready()
    password = settings.demo_password or home.secrets.demo_password
    plan = make_plan(settings, home, environment(settings, home, database_url, redis_url), password)
    if not migrated.is_current(home, database_url):
        say("migrate")
        supervisor.run(plan.migrate)
        migrated.remember(home, database_url)
    home.write_environment(ours(settings, home, database_url, redis_url))
    say(", ".join(service.name for service in plan.services))
    if os.geteuid() == 0 and not shedding():
        say("they have all of root's rights here; run script/up as another user")
    supervisor.start(*plan.services)
    supervisor.run(plan.account)
    supervisor.wait_until_ready()
    demo = _demo(settings, password) if settings.demo_run else None
    say(f"ready {settings.url}")
    say(f"login {settings.demo_email} {password}")
    if demo:
        say(demo)


def _demo(settings: Settings, password: str) -> str:
    """A line about the demo run; without one the rest is still worth running."""
    try:
        return "demo run " + start_demo_run(settings.url, settings.demo_email, password)
    except UpError as error:
        return str(error)


def _end_survivors(home: Home) -> None:
    """The lock is ours, so what still runs for this home has lost its supervisor."""
    ended = survivors.end(
        partial(survivors.leftovers, home.root), ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
    )
    if ended:
        say(f"ended {ended} processes that an earlier run left behind")
    for stale in home.run.glob("*.pid"):
        stale.unlink()


if __name__ == "__main__":
    sys.exit(main())
