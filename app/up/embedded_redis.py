"""A real Redis or Valkey on the loopback, with a password, its data kept in the home."""

from __future__ import annotations

import os
import signal

import redis

from app.up.embedded import EmbeddedServer
from app.up.errors import UpError
from app.up.home import Home, Secrets
from app.up.process import Child, Process
from app.up.programs import find_redis


class EmbeddedRedis(EmbeddedServer):
    name = "redis"

    def __init__(self, home: Home, secrets: Secrets) -> None:
        program = find_redis()
        if program is None:
            raise UpError(
                "no redis-server or valkey-server on this machine; install one (Debian: apt-get install redis-server) "
                "or set REDIS_URL"
            )
        super().__init__(home)
        self.program = program
        self.folder = home.data / "redis"
        self._password = secrets.redis_password
        self.url = f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            # A file and not arguments: every user of the machine can read a command line.
            path = self.home.run / "redis.conf"
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(self._settings())
        except OSError as error:
            raise UpError(f"{self.folder} cannot be used ({error}); move it away and start again") from error

    @property
    def child(self) -> Child:
        return Child(
            name=self.name,
            command=(str(self.program), str(self.home.run / "redis.conf")),
            folder=self.home.root,
            env=dict(os.environ),
            before=self.prepare,
            sheds=True,
            ready=self._answers,
            stages=((signal.SIGTERM, 10.0),),
        )

    def _settings(self) -> str:
        return "\n".join(
            (
                "bind 127.0.0.1",
                f"port {self.port}",
                f"requirepass {self._password}",
                f"dir {_quoted(str(self.folder))}",
                "daemonize no",
                "appendonly yes",
                "appendfsync everysec",
                'save ""',  # the append-only file has it all
                "aof-use-rdb-preamble no",  # as commands, which the other one of Redis and Valkey reads too
                "maxmemory-policy noeviction",  # evicted keys would be lost messages of the queue
                "",
            )
        )

    def _answers(self, _: Process) -> bool:
        # No retries: the caller asks again by itself, and the library would wait up to 10 times inside.
        client = redis.Redis.from_url(self.url, socket_connect_timeout=1, socket_timeout=1)
        try:
            return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):  # also while it loads its data
            return False
        finally:
            client.close()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
