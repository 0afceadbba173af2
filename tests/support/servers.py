"""Postgres and Redis of one test run: started once, shared by all processes of the run.

Each process has its own databases in both, so that no test meets another's rows, keys or channels.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from app.up.home import Home
from app.up.process import Child
from tests.support.connections import connection_pool
from tests.support.embedded import EmbeddedPostgres, EmbeddedRedis
from tests.support.forks import PROCESSES
from tests.support.system import System

CONNECTIONS = 1_000  # of all processes: a web process may open twenty, most open few
REDIS_DATABASES = 2 * PROCESSES


class FastPostgres(EmbeddedPostgres):
    """A Postgres without fsync: it loses data only when the machine stops, which ends the tests too. Its role is a
    superuser, to create and copy databases."""

    rights = "SUPERUSER"

    @property
    def child(self) -> Child:
        child = super().child
        fast = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "autovacuum=off")
        return replace(child, command=(*child.command, *fast))

    def start(self) -> str:
        url = super().start()
        with connection_pool.transaction(url) as connection, connection.cursor() as cur:
            cur.execute("ALTER ROLE CURRENT_USER PASSWORD %s", (quick_secret(self._password),))
        return url


def quick_secret(password: str) -> str:
    """Returns what Postgres stores of a password, for one iteration (RFC 5802): the usual 4,096 take 2.5 ms of CPU time
    at each connect."""
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256$1:{salt64}${stored64}:{server64}"


class WideRedis(EmbeddedRedis):
    """A Redis with enough databases for many processes."""

    def _settings(self) -> str:
        return f"{super()._settings()}databases {REDIS_DATABASES}\n"


@dataclass(frozen=True, slots=True)
class Servers:
    """The addresses. ``template`` is the name of a database to copy from: with all tables and no rows, but for the job
    types that the tests' workers declare."""

    postgres_url: str  # of an unused database
    redis_url: str
    template: str = "template1"
    process: int = 0  # of the test run

    def url_of(self, database: str) -> str:
        return f"{self.postgres_url.rpartition('/')[0]}/{database}"

    def redis(self, number: int) -> str:
        """Returns the URL of one of this process's two Redis databases."""
        return f"{self.redis_url.rpartition('/')[0]}/{2 * self.process + number}"

    def create_database(self, template: str | None = None) -> str:
        """The URL of a new database: a copy of the template, or of another one."""
        name = f"test_{uuid.uuid4().hex}"
        if template:
            connection_pool.close(self.url_of(template))
        with connection_pool.autocommit(self.postgres_url) as connection, connection.cursor() as cur:
            # A copy of files takes a third of the CPU time of a copy through the write-ahead log.
            how = "STRATEGY file_copy" if connection.server_version >= 150_000 else ""
            cur.execute(f"CREATE DATABASE {name} TEMPLATE {template or self.template} {how}")
        return self.url_of(name)

    @contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """A new database until the block ends: those of a whole run would take more memory than a machine has."""
        url = self.create_database(template)
        try:
            yield url
        finally:
            connection_pool.close(url)
            with connection_pool.autocommit(self.postgres_url) as connection, connection.cursor() as cur:
                cur.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")


class RunningServers:
    """The servers, in the process that starts them. Call ``start`` in its main thread."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="taskroom-servers-", dir=os.environ.get("TEST_SERVERS")))
        home = Home.open(self._folder)
        self._postgres = FastPostgres(home, max_connections=CONNECTIONS)
        self._redis = WideRedis(home)

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
        shutil.rmtree(self._folder, ignore_errors=True)  # script/test reports what stays
