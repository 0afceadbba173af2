"""Redis or Valkey on the loopback, with a password; its data are in the home."""

from __future__ import annotations

import os
import signal

import redis

from app.up.embedded import EmbeddedServer
from app.up.errors import UpError
from app.up.home import Home, write_private
from app.up.process import Child, Process
from app.up.programs import find_redis


class EmbeddedRedis(EmbeddedServer):
    name = "redis"

    def __init__(self, home: Home) -> None:
        program = find_redis()
        if program is None:
            raise UpError(
                "no redis-server or valkey-server on this machine; install one (Debian: apt-get install redis-server) "
                "or set REDIS_URL"
            )
        super().__init__(home)
        self.program = program
        self.folder = home.data / "redis"
        self._configuration = home.run / "redis.conf"
        self._password = home.secrets.redis_password
        self.url = f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            # The password is in a file because every user of the machine can read a command line.
            write_private(self._configuration, self._settings())
        except OSError as error:
            raise UpError(f"{self.folder} cannot be used ({error}); move it away and start again") from error

    @property
    def child(self) -> Child:
        return Child(
            name=self.name,
            command=(str(self.program), str(self._configuration)),
            folder=self.home.root,
            env=dict(os.environ),
            before_start=self.prepare,
            drops_rights=True,
            ready=self._is_ready,
            stop_signals=((signal.SIGTERM, 10.0),),
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
                'save ""',  # the append-only file has all data
                "aof-use-rdb-preamble no",  # Redis and Valkey read each other's commands, not snapshots
                "maxmemory-policy noeviction",  # eviction would lose messages of the queue
                "",
            )
        )

    def _is_ready(self, _: Process) -> bool:
        # The library's own retries would wait up to ten times within one call; the caller asks again itself.
        client = redis.Redis.from_url(self.url, socket_connect_timeout=1, socket_timeout=1)
        try:
            return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):  # also while Redis loads its data
            return False
        finally:
            client.close()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
