"""Projects of the tests, each with a queue and a folder of its own.

script/test-celery sets TEST_CELERY_PYTHON, the Python of an environment with another Celery, and TEST_CELERY_RABBITMQ.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.instrument.shop import Shop

MakeShop = Callable[..., Shop]
POOLS = {"prefork": 2, "threads": 2, "gevent": 2, "solo": 1}  # with the tasks that each runs at once


@pytest.fixture(scope="session")
def shop_in(broker: str, other_redis_url: str) -> Callable[..., Shop]:
    """Makes a project in a folder."""

    def make(folder: Path, options: dict[str, Any], settings: dict[str, Any]) -> Shop:
        python = os.environ.get("TEST_CELERY_PYTHON", sys.executable)
        return Shop(folder, broker, other_redis_url, options, settings, python=python)

    return make


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, shop_in: Callable[..., Shop]) -> Iterator[Shop]:
    """A project whose worker runs as long as the tests of a file do."""
    shop = shop_in(tmp_path_factory.mktemp("running"), {}, {})
    with shop.worker():
        yield shop


@pytest.fixture(scope="module", params=list(POOLS))
def pooled(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    shop_in: Callable[..., Shop],
) -> Iterator[Shop]:
    """The same, with a worker of each pool."""
    shop = shop_in(tmp_path_factory.mktemp(request.param), {}, {})
    with shop.worker(request.param):
        yield shop


def runs_at_once(shop: Shop) -> int:
    """How many tasks the worker of ``pooled`` runs at once."""
    return POOLS[pool_of(shop)]


def pool_of(shop: Shop) -> str:
    return shop.folder.name.rstrip("0123456789")


@pytest.fixture
def make_shop(tmp_path: Path, shop_in: Callable[..., Shop]) -> MakeShop:
    """Makes the project of one test, with these options of ``instrument``."""

    def make(settings: dict[str, Any] | None = None, **options: Any) -> Shop:
        return shop_in(tmp_path, options, settings or {})

    return make


@pytest.fixture
def shop(make_shop: MakeShop) -> Shop:
    return make_shop()
