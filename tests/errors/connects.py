"""Errors of a connection to Postgres that cannot be opened: a real server refuses it until it is told otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import psycopg2

from tests.errors.scene import Scene

Refusing = Callable[[Scene], AbstractContextManager[tuple[str, Callable[[], object]]]]
"""Yields the URL that is refused, and a function after which it is not."""


@dataclass(frozen=True, slots=True)
class Refused:
    """``state`` is the SQLSTATE that the server's text means."""

    name: str
    state: str
    refusing: Refusing


@contextmanager
def no_login(scene: Scene) -> Iterator[tuple[str, Callable[[], object]]]:
    role, url = scene.role()
    scene.sql(f"ALTER ROLE {role} NOLOGIN")
    yield url, lambda: scene.sql(f"ALTER ROLE {role} LOGIN")


@contextmanager
def wrong_password(scene: Scene) -> Iterator[tuple[str, Callable[[], object]]]:
    role, url = scene.role()
    scene.sql(f"ALTER ROLE {role} PASSWORD 'other'")
    yield url, lambda: scene.sql(f"ALTER ROLE {role} PASSWORD 'right'")


@contextmanager
def no_database(scene: Scene) -> Iterator[tuple[str, Callable[[], object]]]:
    scene.apart(f"ALTER DATABASE {scene.name} RENAME TO {scene.name}_away")
    yield scene.url, lambda: scene.apart(f"ALTER DATABASE {scene.name}_away RENAME TO {scene.name}")


@contextmanager
def no_connections_allowed(scene: Scene) -> Iterator[tuple[str, Callable[[], object]]]:
    scene.apart(f"ALTER DATABASE {scene.name} ALLOW_CONNECTIONS false")
    yield scene.url, lambda: scene.apart(f"ALTER DATABASE {scene.name} ALLOW_CONNECTIONS true")


@contextmanager
def no_right(scene: Scene) -> Iterator[tuple[str, Callable[[], object]]]:
    _, url = scene.role()
    scene.apart(f"REVOKE CONNECT ON DATABASE {scene.name} FROM PUBLIC")
    yield url, lambda: scene.apart(f"GRANT CONNECT ON DATABASE {scene.name} TO PUBLIC")


@contextmanager
def crowded_role(scene: Scene) -> Iterator[tuple[str, Callable[[], object]]]:
    _, url = scene.role("CONNECTION LIMIT 1")
    only = psycopg2.connect(url)
    try:
        yield url, only.close
    finally:
        only.close()


@contextmanager
def cut_at_once(scene: Scene) -> Iterator[tuple[str, Callable[[], object]]]:
    scene.proxy.cut()
    yield scene.url, scene.proxy.mend


CONNECTS = [
    Refused("28000", "28000", no_login),
    Refused("28P01", "28P01", wrong_password),
    Refused("3D000", "3D000", no_database),
    Refused("42501", "42501", no_right),
    Refused("53300", "53300", crowded_role),
    Refused("55000", "55000", no_connections_allowed),
    Refused("cut", "", cut_at_once),
]
