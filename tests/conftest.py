"""Real servers for every test that needs them; a missing one is an error, never a skip."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator

import psycopg2
import pytest

from app import appending
from app.up.embedded_postgres import EmbeddedPostgres
from app.up.embedded_redis import EmbeddedRedis
from app.up.home import Home
from tests.support.line import Line
from tests.support.system import ROOT, System, User, free_port
from tests.tasks.helpers import Tasks


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home.open(tmp_path_factory.mktemp("taskroom"))


@pytest.fixture(scope="session")
def postgres(home: Home) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(home, home.secrets) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(home: Home) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(home, home.secrets) as server:
        yield server


@pytest.fixture(scope="session")
def redis_url(redis_server: EmbeddedRedis) -> str:
    return redis_server.url


@pytest.fixture(scope="session")
def other_redis_url(redis_url: str) -> str:
    """For what runs on a database of its own: neither its hints nor its ``broadcast`` reach the shared Taskroom."""
    return redis_url.removesuffix("/0") + "/7"


def _create_database(postgres: EmbeddedPostgres, template: str = "template1") -> str:
    name = f"test_{uuid.uuid4().hex}"
    connection = psycopg2.connect(postgres.url)
    connection.autocommit = True
    try:
        connection.cursor().execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    finally:
        connection.close()
    return name


@pytest.fixture(scope="session")
def template(postgres: EmbeddedPostgres, redis_url: str, home: Home) -> str:
    """The name of a database with all tables and no rows, to copy from."""
    name = _create_database(postgres)
    system = System(postgres.url_of(name), redis_url, home.root)
    command = [sys.executable, "-m", "app.cli", "migrate"]
    subprocess.run(command, cwd=ROOT, env=system.environment(), check=True, capture_output=True)
    return name


@pytest.fixture
def database(postgres: EmbeddedPostgres, template: str) -> str:
    """The URL of an empty, migrated database of the test's own."""
    return postgres.url_of(_create_database(postgres, template))


@pytest.fixture(scope="session")
def system(postgres: EmbeddedPostgres, template: str, redis_url: str, home: Home) -> Iterator[System]:
    """A running Taskroom, shared by all tests that do not break it."""
    system = System(postgres.url_of(_create_database(postgres, template)), redis_url, home.root / "log")
    port = free_port()
    system.worker_metrics = f"http://127.0.0.1:{port}/metrics"
    system.start_worker(WORKER_METRICS_PORT=str(port))
    try:
        with system.web() as url:
            system.url = url
            warm = system.user()
            warm.finished(warm.start("test_echo", text="warm"), 60)
            warm.client.close()
            yield system
    finally:
        system.stop()


@pytest.fixture
def user(system: System) -> Iterator[User]:
    user = system.user()
    yield user
    user.client.close()


@pytest.fixture
def other(system: System) -> Iterator[User]:
    """Somebody else."""
    user = system.user()
    yield user
    user.client.close()


@pytest.fixture
def here(database: str) -> Iterator[Tasks]:
    """A user, in a process that appends to this database."""
    tasks = Tasks(database)
    before, appending._append = appending._append, tasks.appended
    yield tasks
    appending._append = before
    tasks.connect.close()


@pytest.fixture
def line(system: System) -> Iterator[Line]:
    line = Line(system.database_url)
    yield line
    line.close()


@pytest.fixture
def behind_line(system: System, line: Line) -> Iterator[str]:
    """A web process that reaches Postgres only through ``line``."""
    with system.web(DATABASE_URL=line.url) as address:
        yield address
