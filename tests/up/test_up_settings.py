from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from app.up import nginx
from app.up.errors import UpError
from app.up.home import Home
from app.up.server_checks import check_postgres, check_redis
from app.up.settings import CHECKOUT, Settings


def test_defaults() -> None:
    settings = Settings.from_env({})
    assert (settings.home, settings.url, settings.worker_concurrency) == (
        CHECKOUT / ".taskroom",
        "http://127.0.0.1:8000",
        2,
    )
    assert settings.demo_email == "demo@taskroom.local" and settings.demo_run


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "80a"),
        ("PORT", "65536"),
        ("PORT", "²"),
        ("WEB_PROCESSES", "0"),
        ("TRUSTED_PROXIES", "9"),
        ("WORKER_CONCURRENCY", "-1"),
        ("TASKROOM_DEMO_RUN", "yes"),
        ("DEMO_PASSWORD", "short"),
        ("DEMO_KEY", "trk_15_characters__"),
        ("DEMO_KEY", "not-a-key-although-long-enough"),
        ("DEMO_KEY", "trk_with a space in the middle"),
    ],
)
def test_the_message_names_the_invalid_setting(name: str, value: str) -> None:
    with pytest.raises(UpError, match=name):
        Settings.from_env({name: value})


def test_several_web_processes_without_nginx_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx, "find_nginx", lambda: None)
    with pytest.raises(UpError, match=r"WEB_PROCESSES above 1 needs nginx.*apt-get install nginx"):
        nginx.require_nginx()


@pytest.mark.parametrize(
    ("host", "listen"),
    [("0.0.0.0", "0.0.0.0:8000"), ("::1", "[::1]:8000 ipv6only=off"), ("", "127.0.0.1:8000")],
)
def test_where_nginx_listens(host: str, listen: str) -> None:
    assert Settings.from_env({"HOST": host}).nginx_listen == listen


def test_for_a_port_in_use_the_message_offers_another() -> None:
    with socket.socket() as other:
        # Eventlet's listener sets this option too: a second such listener would share the port silently.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UpError, match=rf"port {port} .*PORT={port + 1} script/up"):
            Settings.from_env({"PORT": str(port)}).check_port()
    Settings.from_env({"PORT": str(port)}).check_port()


def test_secrets_are_private_and_do_not_change(tmp_path: Path) -> None:
    first = Home.open(tmp_path / "home")
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "home" / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert Home.open(tmp_path / "home").secrets == first.secrets
    assert first.secrets.demo_password not in repr(first)
    assert first.secrets.demo_key.startswith("trk_") and first.secrets.demo_key not in repr(first)


def test_a_key_of_twenty_characters_is_taken() -> None:
    assert Settings.from_env({"DEMO_KEY": "trk_0123456789abcdef"}).demo_key == "trk_0123456789abcdef"


def test_a_home_of_a_version_without_a_demo_key_gets_one_that_stays(tmp_path: Path) -> None:
    Home.open(tmp_path)
    path = tmp_path / "secrets.json"
    older = json.loads(path.read_text())
    del older["demo_key"]
    path.write_text(json.dumps(older))

    first, second = Home.open(tmp_path), Home.open(tmp_path)

    assert first.secrets == second.secrets
    assert first.secrets.database_password == older["database_password"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_damaged_secrets_are_not_replaced(tmp_path: Path) -> None:
    Home.open(tmp_path)
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(UpError, match=r"secrets\.json is damaged"):
        Home.open(tmp_path)


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(UpError, match="set TASKROOM_HOME to another folder"):
        Home.open(tmp_path / "home")


def test_the_lock_is_held_once(tmp_path: Path) -> None:
    home = Home.open(tmp_path)
    home.lock()
    with pytest.raises(UpError, match="already runs in"):
        home.lock()


@pytest.mark.parametrize("url", ["postgresql://a:hunter2@127.0.0.1:1/x", "mysql://a:hunter2@x/y", "hunter2"])
def test_unusable_database_url(url: str) -> None:
    with pytest.raises(UpError, match="DATABASE_URL") as caught:
        check_postgres(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["redis://:hunter2@127.0.0.1:1/0", "hunter2"])
def test_unusable_redis_url(url: str) -> None:
    with pytest.raises(UpError, match="REDIS_URL") as caught:
        check_redis(url)
    assert "hunter2" not in str(caught.value)
