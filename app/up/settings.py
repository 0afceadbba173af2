"""The operator's settings, read once from the environment."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.auth.key_text import VALID, VALID_WORDS
from app.up.errors import UpError

CHECKOUT = Path(__file__).resolve().parents[2]
WILDCARD_HOSTS = {"0.0.0.0", "::", ""}


@dataclass(frozen=True, slots=True)
class Settings:
    home: Path
    host: str
    port: int
    web_processes: int
    trusted_proxies: int
    worker_concurrency: int
    demo_email: str
    demo_password: str | None = field(repr=False)
    demo_key: str | None = field(repr=False)
    demo_run: bool
    database_url: str | None = field(repr=False)
    redis_url: str | None = field(repr=False)

    @property
    def url(self) -> str:
        """The address of the dashboard for a browser on this machine."""
        host = "127.0.0.1" if self.host in WILDCARD_HOSTS else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def nginx_listen(self) -> str:
        """The value of nginx's ``listen``."""
        return f"[{self.host}]:{self.port} ipv6only=off" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Raises UpError with a line that says what to set."""
        settings = cls(
            home=Path(env.get("TASKROOM_HOME") or CHECKOUT / ".taskroom").absolute(),
            host=env.get("HOST") or "127.0.0.1",
            port=_integer(env, "PORT", 8000, 1, 65535),
            web_processes=_integer(env, "WEB_PROCESSES", 1, 1, 64),
            trusted_proxies=_integer(env, "TRUSTED_PROXIES", 0, 0, 8),
            worker_concurrency=_integer(env, "WORKER_CONCURRENCY", 2, 1, 256),
            demo_email=env.get("DEMO_EMAIL") or "demo@taskroom.local",
            demo_password=env.get("DEMO_PASSWORD") or None,
            demo_key=env.get("DEMO_KEY") or None,
            demo_run=_boolean(env, "TASKROOM_DEMO_RUN"),
            database_url=env.get("DATABASE_URL") or None,
            redis_url=env.get("REDIS_URL") or None,
        )
        if settings.demo_password and len(settings.demo_password) < 8:
            raise UpError(
                "DEMO_PASSWORD is too short; set at least 8 characters, or unset it for a random one"
            )
        if settings.demo_key and not VALID.fullmatch(settings.demo_key):
            raise UpError(f"DEMO_KEY is no API key; set {VALID_WORDS}, or unset it for a random one")
        return settings

    def check_port(self) -> None:
        """Raises UpError when the port is in use: the web process would share the port with the other silently."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family) as probe:
            # Connections of an earlier run do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
                probe.listen(1)
            except OSError as error:
                raise UpError(
                    f"port {self.port} on {self.host} cannot be opened ({error.strerror or error}); "
                    f"choose another port: PORT={self.port + 1 if self.port < 65535 else 8000} script/up"
                ) from error


def _integer(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and low <= int(text) <= high):
        raise UpError(f"{name} is {text!r}; set a whole number from {low} to {high}")
    return int(text)


def _boolean(env: Mapping[str, str], name: str) -> bool:
    text = env.get(name) or "1"
    if text not in ("0", "1"):
        raise UpError(f"{name} is {text!r}; set 0 or 1")
    return text == "1"
