"""Real servers for every test that needs them; a missing one is an error, never a skip."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from app import process_transactions
from app.db.persistent import PersistentConnection
from app.notifications import create_notification
from app.projections import project
from app.stream.publisher import Publisher
from app.stream.transaction import Transactions
from app.up.home import Home
from tests import plugin
from tests.instrument.rabbitmq import rabbitmq
from tests.support.line import TcpProxy
from tests.support.servers import Servers
from tests.support.system import System, User
from tests.tasks.helpers import Tasks


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home.open(tmp_path_factory.mktemp("taskroom"))


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Servers:
    """The Postgres and the Redis that all processes of the test run share."""
    return plugin.servers(request.config)


@pytest.fixture(scope="session")
def redis_url(servers: Servers) -> str:
    """The Redis of the shared Taskroom."""
    return servers.redis(0)


@pytest.fixture(scope="session")
def other_redis_url(servers: Servers) -> str:
    """For what runs on a database of its own: neither its hints nor its ``broadcast`` reach the shared Taskroom."""
    return servers.redis(1)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory, other_redis_url: str) -> Iterator[str]:
    """The broker of other people's projects: Redis, or RabbitMQ where script/test-celery has set its variable."""
    if not os.environ.get("TEST_CELERY_RABBITMQ"):
        yield other_redis_url
        return
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as url:
        yield url


@pytest.fixture
def database(servers: Servers) -> Iterator[str]:
    """The URL of a migrated database of the test's own, empty but for the job types."""
    with servers.database() as url:
        yield url


@pytest.fixture(scope="session")
def system(servers: Servers, redis_url: str, home: Home) -> Iterator[System]:
    """A running Taskroom, shared by all tests of this process that do not break it."""
    with servers.database() as url, System(url, redis_url, home.log).running() as system:
        system.warm_up()
        yield system


@pytest.fixture(scope="session")
def new_system(
    servers: Servers, other_redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], System]]:
    """Makes a Taskroom on a database of its own; it has no process yet."""
    with ExitStack() as databases:
        yield lambda name: System(
            databases.enter_context(servers.database()), other_redis_url, tmp_path_factory.mktemp(name)
        )


@pytest.fixture
def user(system: System) -> Iterator[User]:
    with system.guest() as user:
        yield user


@pytest.fixture
def other(system: System) -> Iterator[User]:
    """Somebody else."""
    with system.guest() as user:
        yield user


@pytest.fixture
def here(database: str) -> Iterator[Tasks]:
    """A user, in a process that appends to this database."""
    tasks = Tasks(database)
    process_transactions.use_transactions(tasks.of_any_thread)
    yield tasks
    process_transactions.use_transactions(None)
    tasks.connect.close()


@pytest.fixture
def line(system: System) -> Iterator[TcpProxy]:
    line = TcpProxy(system.database_url)
    yield line
    line.close()


@pytest.fixture
def behind_line(system: System, line: TcpProxy) -> Iterator[str]:
    """A web process that reaches Postgres only through ``line``."""
    with system.web(DATABASE_URL=line.url) as address:
        yield address


@pytest.fixture
def notify(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, Any]]]:
    """create_notification, in this process, as any process of the project has it."""
    connect, publisher = PersistentConnection(system.database_url), Publisher(system.redis_url)

    monkeypatch.setattr(
        process_transactions, "_transactions", Transactions(connect, project, publisher.publish)
    )
    yield create_notification
    connect.close()
