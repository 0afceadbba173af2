"""States of a real Redis in which it refuses commands; each is entered and left by a block."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.up.embedded import free_port
from tests.support.embedded import EmbeddedRedis
from tests.support.system import wait_for

KEY = "a key of the test"


class PlainRedis(EmbeddedRedis):
    """It writes nothing to its disk unless it is told to."""

    def _settings(self) -> str:
        return super()._settings() + "appendonly no\nenable-debug-command local\n"


class LoneNode(PlainRedis):
    """A cluster of one, which has no slots."""

    def _settings(self) -> str:
        return super()._settings() + f"cluster-enabled yes\ncluster-port {free_port()}\n"


class Speaking:
    """A server that answers every command with the same bytes."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._speak, args=(client,), daemon=True).start()

    def _speak(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            while data := client.recv(65536):
                client.sendall(self._answer * data.count(b"*"))


def client(url: str) -> Any:
    """Asks once."""
    return redis.Redis.from_url(url, protocol=2, retry=Retry(NoBackoff(), 0))


def with_login(url: str, login: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}").geturl()


State = Callable[[EmbeddedRedis], AbstractContextManager[str]]
"""Yields the URL at which commands are refused then."""


@contextmanager
def configured(server: EmbeddedRedis, name: str, value: Any) -> Iterator[str]:
    with client(server.url) as admin:
        before = admin.config_get(name)[name]
        admin.config_set(name, value)
        try:
            yield server.url
        finally:
            admin.config_set(name, before)


def setting(name: str, value: Any) -> State:
    return lambda server: configured(server, name, value)


@contextmanager
def replica(server: EmbeddedRedis) -> Iterator[str]:
    with client(server.url) as admin:
        admin.execute_command("REPLICAOF", "127.0.0.1", "1")
        try:
            yield server.url
        finally:
            admin.execute_command("REPLICAOF", "NO", "ONE")


@contextmanager
def stale_replica(server: EmbeddedRedis) -> Iterator[str]:
    # Reads are refused as MASTERDOWN, writes as READONLY unless the replica would take them.
    with (
        configured(server, "replica-serve-stale-data", "no"),
        configured(server, "replica-read-only", "no"),
        replica(server) as url,
    ):
        yield url


@contextmanager
def busy_script(server: EmbeddedRedis) -> Iterator[str]:
    def run() -> None:
        with client(server.url) as caller, suppress(redis.ResponseError):  # it is killed
            caller.eval("while true do end", 0)

    with configured(server, "lua-time-limit", 1), client(server.url) as admin:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        wait_for("the script to be known", lambda: raises(lambda: admin.get(KEY)))
        try:
            yield server.url
        finally:
            admin.script_kill()
            thread.join(60)


def raises(function: Callable[[], object]) -> bool:
    try:
        function()
    except redis.ResponseError:
        return True
    return False


@contextmanager
def no_snapshots(server: EmbeddedRedis) -> Iterator[str]:
    """Its folder is gone, so the snapshot that it is configured to write fails."""
    with client(server.url) as admin:
        admin.config_set("save", "3600 1")
        shutil.rmtree(server.folder)
        admin.bgsave()
        wait_for("the failure", lambda: admin.info("persistence")["rdb_last_bgsave_status"] == "err")
        try:
            yield server.url
        finally:
            server.kill()  # without its folder it would refuse to end
            server.start()


@contextmanager
def loading(server: EmbeddedRedis) -> Iterator[str]:
    """It loads its keys slowly, for twenty seconds, and answers meanwhile."""
    with client(server.url) as admin:
        admin.mset({f"key {n}": "x" * 100 for n in range(4_000)})
        admin.config_set("loading-process-events-interval-bytes", 1024)
        admin.config_set("key-load-delay", 5_000)  # microseconds

        def reload() -> None:
            with client(server.url) as caller, suppress(redis.RedisError):
                caller.execute_command("DEBUG", "RELOAD")

        thread = threading.Thread(target=reload, daemon=True)
        thread.start()
        with client(server.url) as other:
            wait_for("the loading", lambda: other.info("persistence")["loading"])
            try:
                yield server.url
            finally:
                other.config_set("key-load-delay", 0)
                wait_for("its data", lambda: not other.info("persistence")["loading"])
                thread.join(60)
                other.flushall()


@contextmanager
def strange_login(server: EmbeddedRedis, login: str) -> Iterator[str]:
    yield with_login(server.url, login)


@contextmanager
def weak_user(server: EmbeddedRedis) -> Iterator[str]:
    with client(server.url) as admin:
        admin.execute_command(
            "ACL", "SETUSER", "weak", "on", ">weak", "+ping", "+client", "+select", "+multi"
        )
        yield with_login(server.url, "weak:weak")
        admin.execute_command("ACL", "DELUSER", "weak")


def speaking(answer: bytes) -> State:
    @contextmanager
    def state(server: EmbeddedRedis) -> Iterator[str]:
        with closing(Speaking(answer)) as stranger:
            yield stranger.url

    return state


@dataclass(frozen=True, slots=True)
class Refusing:
    """``name`` is that of the docs; ``command`` is refused in this state."""

    name: str
    state: State
    command: tuple[str, ...] = ("SET", KEY, "x")


STATES = [
    Refusing("MISCONF", no_snapshots),
    Refusing("OOM", setting("maxmemory", 1)),
    Refusing("READONLY", replica),
    Refusing("NOREPLICAS", setting("min-replicas-to-write", 1)),
    Refusing("MASTERDOWN", stale_replica),
    Refusing("LOADING", loading),
    Refusing("TRYAGAIN", speaking(b"-TRYAGAIN Multiple keys request during rehashing of slot\r\n")),
    Refusing("BUSY", busy_script),
    Refusing("max number of clients reached", setting("maxclients", 1)),
    Refusing("NOAUTH", lambda server: strange_login(server, "")),
    Refusing("WRONGPASS", lambda server: strange_login(server, "default:wrong")),
    Refusing("NOPERM", weak_user),
    Refusing("DENIED", speaking(b"-DENIED Redis is running in protected mode\r\n")),
]
