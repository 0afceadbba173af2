"""Checks of servers that the operator runs, once before anything starts."""

from __future__ import annotations

import psycopg2
import redis

from app.errors.causes import first_line
from app.up.errors import UpError

SHAPE = "DATABASE_URL must look like postgresql://user:password@host:port/database"


def connect(url: str) -> psycopg2.extensions.connection:
    """Opens a plain connection; waits up to 5 s. Removes the driver's name that SQLAlchemy allows in a URL."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise UpError(SHAPE)
    return psycopg2.connect(f"postgresql://{rest}", connect_timeout=5)


def check_postgres(url: str) -> None:
    """Raises UpError when the server of DATABASE_URL does not answer."""
    try:
        connect(url).close()
    except psycopg2.OperationalError as error:
        raise UpError(_no_answer("DATABASE_URL", error)) from error
    except psycopg2.Error:  # its text may hold the URL with the password
        raise UpError(SHAPE) from None


def check_redis(url: str) -> None:
    """Raises UpError when the server of REDIS_URL does not answer."""
    try:
        client = redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)
    except ValueError:
        raise UpError("REDIS_URL must look like redis://:password@host:port/0") from None
    try:
        client.ping()
    except redis.RedisError as error:
        raise UpError(_no_answer("REDIS_URL", error)) from error
    finally:
        client.close()


def _no_answer(setting: str, error: Exception) -> str:
    return f"{setting} does not answer ({first_line(error)}); start that server or unset {setting}"
