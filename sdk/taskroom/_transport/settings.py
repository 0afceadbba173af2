"""Where the events go, and the limits of what waits for it."""

from __future__ import annotations

import hashlib
import os
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

URL, KEY, SPOOL = "TASKROOM_URL", "TASKROOM_KEY", "TASKROOM_SPOOL"
DEFAULT_SPOOL = "~/.taskroom/spool"
NO_SPOOL = frozenset(("", "0", "off", "no", "none"))


@dataclass(frozen=True)
class Limits:
    """Times in seconds, sizes in bytes."""

    batch_events: int = 500  # as many are sent at once, also before ``gather_seconds`` are over
    batch_tasks: int = 50
    batch_bytes: int = 1_000_000  # of JSON, about; the server takes twice as many
    gather_seconds: float = 0.25
    keep_seconds: float = 1.0  # while the server is away what waits goes to the spool so often
    memory_events: int = 10_000  # of batches that wait, and of events that wait to be in one
    memory_bytes: int = 8_000_000
    spool_bytes: int = 64_000_000  # of all files of a spool
    connect_seconds: float = 3.0
    answer_seconds: float = 15.0
    shortest_wait: float = 0.5  # before a batch is sent again
    longest_wait: float = 30.0
    refused_wait: float = 60.0  # the same after the key was refused
    look_seconds: float = 5.0  # how often an idle process looks for what others left in the spool


class NotConfigured(ValueError):
    """It is not said where the events go."""


@dataclass(frozen=True)
class Settings:
    """A server, the key for it, and where events are kept while it is away: nowhere when ``spool`` is None."""

    url: str
    key: str = field(repr=False)
    spool: Path | None = None
    proxy: str | None = field(default=None, repr=False)  # may have a password
    limits: Limits = Limits()

    @classmethod
    def of(
        cls, url: str | None = None, key: str | None = None, spool: str | os.PathLike[str] | None = None
    ) -> Settings:
        """Settings of the environment, but for what is given. Raises NotConfigured without a URL or a key, and
        ValueError for one that cannot be used."""
        url, key = url or os.environ.get(URL), key or os.environ.get(KEY)
        if not url or not key:
            raise NotConfigured(f"set {URL} and {KEY}")
        url = _checked_url(url)
        return cls(url, _checked_key(key), _folder(spool), _proxy(url))

    @property
    def key_name(self) -> str:
        """Tells keys apart in files, where the key itself must not stand."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:16]


def _checked_url(given: str) -> str:
    parts = urlsplit(given.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{URL} is an address such as https://rooms.example.org, not {given!r}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(f"{URL} has a host and perhaps a path, and nothing else; the key is in {KEY}")
    if not parts.geturl().isascii() or not parts.geturl().isprintable() or " " in parts.geturl():
        raise ValueError(f"{URL} has characters that no address has: {given!r}")
    _ = parts.port  # raises ValueError when it is none
    return parts.geturl().rstrip("/")


def _checked_key(given: str) -> str:
    key = given.strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ValueError(f"{KEY} has characters that no key has")
    return key


def _folder(given: str | os.PathLike[str] | None) -> Path | None:
    chosen = os.fspath(given) if given is not None else os.environ.get(SPOOL, DEFAULT_SPOOL)
    if chosen.strip().lower() in NO_SPOOL:
        return None
    try:
        return Path(chosen).expanduser().absolute()
    except RuntimeError:  # a user without a home
        return None


def _proxy(url: str) -> str | None:
    """The proxy that urllib would use for this address."""
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if not proxy or urllib.request.proxy_bypass(parts.netloc):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
