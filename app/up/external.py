"""Servers that the operator runs: asked once before anything starts."""

from __future__ import annotations

import psycopg2
import redis

from app.up.errors import UpError

SHAPE = "DATABASE_URL must look like postgresql://user:password@host:port/database"


def connect(url: str) -> psycopg2.extensions.connection:
    """A plain connection; drops the driver's name that SQLAlchemy knows in an address. Waits up to 5 s."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise UpError(SHAPE)
    return psycopg2.connect(f"postgresql://{rest}", connect_timeout=5)


def check_postgres(url: str) -> None:
    """Raises UpError when DATABASE_URL does not answer."""
    try:
        connect(url).close()
    except psycopg2.OperationalError as error:
        raise UpError(
            f"DATABASE_URL does not answer ({_first_line(error)}); start that server or unset it"
        ) from error
    except psycopg2.Error:  # its text may repeat the address with the password
        raise UpError(SHAPE) from None


def check_redis(url: str) -> None:
    """Raises UpError when REDIS_URL does not answer."""
    try:
        client = redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)
    except ValueError:
        raise UpError("REDIS_URL must look like redis://:password@host:port/0") from None
    try:
        client.ping()
    except redis.RedisError as error:
        raise UpError(
            f"REDIS_URL does not answer ({_first_line(error)}); start that server or unset it"
        ) from error
    finally:
        client.close()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
