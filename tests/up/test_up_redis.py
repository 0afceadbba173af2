"""The embedded Redis: after a kill, as a link, as Valkey, and without its data."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import redis

from app.up import survivors
from app.up.home import Home
from tests.support.embedded import EmbeddedRedis
from tests.up.running import eventually


@pytest.fixture
def new_home(new_root: Path) -> Home:
    return Home.open(new_root)


def test_redis_recovers_from_kill(new_home: Home) -> None:
    with EmbeddedRedis(new_home) as server:
        redis.Redis.from_url(server.url).set("kept", "7")
        redis.Redis.from_url(server.url).config_set("appendfsync", "always")
        redis.Redis.from_url(server.url).set("kept too", "8")
        before = server.pid
        server.kill()
        assert server.start() == server.url
        assert server.pid != before
        assert redis.Redis.from_url(server.url).mget("kept", "kept too") == [b"7", b"8"]


def test_redis_needs_the_password_and_does_not_show_it(new_home: Home) -> None:
    with EmbeddedRedis(new_home) as server:
        with pytest.raises(redis.AuthenticationError):
            redis.Redis.from_url(f"redis://127.0.0.1:{server.port}").ping()
        assert (
            new_home.secrets.redis_password.encode() not in Path(f"/proc/{server.pid}/cmdline").read_bytes()
        )
        assert (new_home.run / "redis.conf").stat().st_mode & 0o777 == 0o600


def test_a_redis_that_is_a_link_is_found_by_the_name_of_its_target(new_home: Home, tmp_path: Path) -> None:
    """Debian's package has such a link. /proc shows the target, and Redis has overwritten its environment."""
    server = EmbeddedRedis(new_home)
    shutil.copy(server.program, tmp_path / "redis-check-rdb")
    server.program = tmp_path / "redis-server"
    server.program.symlink_to("redis-check-rdb")
    with server:
        assert [(found.pid, found.program) for found in survivors.processes_of(new_home.root)] == [
            (server.pid, "redis-check-rdb")
        ]


def test_the_data_are_commands_that_redis_and_valkey_both_read(new_home: Home) -> None:
    """Their snapshots differ: after an operator installs Redis, it must read the data that Valkey wrote."""
    rewriting = ("aof_rewrite_in_progress", "aof_rewrite_scheduled")
    with EmbeddedRedis(new_home) as server:
        client = redis.Redis.from_url(server.url)
        client.set("kept", "7")
        client.bgrewriteaof()
        eventually(lambda: not any(client.info("persistence")[name] for name in rewriting))
        client.close()

    kept = [path for path in server.folder.rglob("*") if path.is_file()]
    assert kept and not [path for path in kept if path.read_bytes().startswith((b"REDIS", b"VALKEY"))]
    assert any(b"kept" in path.read_bytes() for path in kept)


def test_redis_starts_without_its_data(new_home: Home) -> None:
    with EmbeddedRedis(new_home) as server:
        redis.Redis.from_url(server.url).set("kept", "7")
        server.kill()
        shutil.rmtree(server.folder)
        server.start()
        assert redis.Redis.from_url(server.url).get("kept") is None
