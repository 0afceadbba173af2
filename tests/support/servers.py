"""Postgres and Redis of one test run: started once, shared by all processes of the run.

Each process has databases of its own in both, so that no test meets another's rows, keys or channels.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg2

from app.up.embedded_postgres import EmbeddedPostgres
from app.up.embedded_redis import EmbeddedRedis
from app.up.home import Home
from app.up.process import Child
from tests.support.connections import kept
from tests.support.system import System

PROCESSES = 64  # of a run, at most
CONNECTIONS = 1_000  # of all processes together: a web process may open twenty, and most open few
REDIS_DATABASES = 2 * PROCESSES


class FastPostgres(EmbeddedPostgres):
    """It may lose its data when the machine stops, which ends the tests too; when a process dies it loses nothing. Its
    role makes databases, and moves what only a superuser may."""

    rights = "SUPERUSER"

    @property
    def child(self) -> Child:
        child = super().child
        fast = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "autovacuum_naptime=10min")
        return replace(child, command=(*child.command, *fast))


class WideRedis(EmbeddedRedis):
    """It has databases enough for many processes."""

    def _settings(self) -> str:
        return f"{super()._settings()}databases {REDIS_DATABASES}\n"


@dataclass(frozen=True, slots=True)
class Servers:
    """Where they are. ``template`` is the name of a database to copy from: with all tables and no rows, but for the job
    types that the tests' workers declare."""

    postgres_url: str  # of a database that nobody uses
    redis_url: str
    template: str = "template1"
    process: int = 0  # of the test run

    def url_of(self, database: str) -> str:
        return f"{self.postgres_url.rpartition('/')[0]}/{database}"

    def redis(self, number: int) -> str:
        """The address of one of this process's two databases of Redis."""
        return f"{self.redis_url.rpartition('/')[0]}/{2 * self.process + number}"

    def create_database(self, template: str | None = None) -> str:
        """The URL of a new database: a copy of the template, or of another one."""
        name = f"test_{uuid.uuid4().hex}"
        if template:
            kept.close(self.url_of(template))
        connection = psycopg2.connect(self.postgres_url)
        connection.autocommit = True
        # Copying files takes a third of the CPU time that copying pages through the log does.
        how = "STRATEGY file_copy" if connection.server_version >= 150_000 else ""
        try:
            connection.cursor().execute(f"CREATE DATABASE {name} TEMPLATE {template or self.template} {how}")
        finally:
            connection.close()
        return self.url_of(name)


class RunningServers:
    """The servers themselves, in the process that started them. ``start`` belongs on its main thread."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="taskroom-servers-", dir=os.environ.get("TEST_SERVERS")))
        home = Home.open(self._folder)
        self._postgres = FastPostgres(home, home.secrets, max_connections=CONNECTIONS)
        self._redis = WideRedis(home, home.secrets)

    def start(self) -> Servers:
        try:
            bare = Servers(self._postgres.start(), self._redis.start())
            url = bare.create_database()
            System(url, bare.redis_url, self._folder).migrate()
        except BaseException:
            self.stop()
            raise
        return replace(bare, template=url.rpartition("/")[2])

    def stop(self) -> None:
        self._redis.stop()
        self._postgres.stop()
        shutil.rmtree(self._folder, ignore_errors=True)  # what stays is told of at the end of script/test
