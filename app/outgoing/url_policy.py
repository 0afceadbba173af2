"""Addresses that users give us to call, and which of them may be called: none that leads into a network of ours.

An address is taken apart once, here, and the request is made of the parts, so that no second parser reads it in another
way. What a name resolves to is judged when it is connected to (app/outgoing/http_client.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from urllib.parse import urlsplit

from app.errors import TaskroomError

Network = IPv4Network | IPv6Network
Ip = IPv4Address | IPv6Address

LONGEST_URL = 2_048
# Mail, databases and the like, which would read a request's lines as commands; below 1024 only the web's own.
REFUSED_PORTS = frozenset(
    {1433, 1521, 2049, 2375, 3306, 3389, 5060, 5061, 5432, 5672, 5900, 6000, 6379, 6443, 6667, 9200, 10250}
    | {11211, 27017}
)
_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*\.?\Z", re.IGNORECASE
)
_NUMBER = re.compile(r"(\d+|0x[0-9a-f]*)\Z", re.IGNORECASE)
_MAPPED, _NAT64 = ip_network("::ffff:0:0/96"), ip_network("64:ff9b::/96")
_GLOBAL_V6 = ip_network("2000::/3")
# Public by their numbers, yet not somebody's server: protocol assignments, 6to4 relays, a cloud's metadata; Teredo and
# its like, 6to4, which both hide another address in theirs.
_ODD = tuple(
    ip_network(n) for n in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "2001::/23", "2002::/16")
)


class AddressRefused(TaskroomError):
    """It may not be called, or is no address; the message says why, for its owner."""


@dataclass(frozen=True, slots=True)
class Address:
    scheme: str
    host: str  # a name, or an IP address without brackets
    port: int
    target: str  # path and query

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Rules:
    """``allowed``: networks, and names whatever they resolve to, that may be called though they are private."""

    allowed: tuple[Network | str, ...] = ()
    plain_http: bool = False

    def address(self, url: str) -> Address:
        """Raises AddressRefused for what can be told without resolving its name."""
        if len(url) > LONGEST_URL or not re.fullmatch(r"[!-\[\]-~]+", url):
            raise AddressRefused(
                f"an address is at most {LONGEST_URL} visible ASCII characters; encode others"
            )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise AddressRefused(f"this is no address: {error}") from None
        scheme = parts.scheme.lower()
        if scheme not in (("http", "https") if self.plain_http else ("https",)):
            raise AddressRefused(f"an address begins with https://, not with {scheme or 'nothing'}")
        if "@" in parts.netloc:
            raise AddressRefused("an address holds no user and no password")
        if "#" in url:
            raise AddressRefused("an address that is called has no fragment")
        port = _PORTS[scheme] if port is None else port
        if port not in _PORTS.values() and (port < 1024 or port in REFUSED_PORTS):
            raise AddressRefused(f"port {port} is not one for webhooks")
        host = self._host(parts.netloc, parts.hostname or "")
        return Address(scheme, host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))

    def may_call(self, host: str, ip: Ip) -> None:
        """Raises AddressRefused unless this name may lead to this address."""
        inner = _inner(ip)
        if host.rstrip(".") in self.allowed:
            return
        if any(inner in network for network in self.allowed if not isinstance(network, str)):
            return
        if not _public(inner):
            # Not where to: what our resolver says of names inside is not for who asks.
            raise AddressRefused(f"{host} leads into a private or reserved network")

    def _host(self, netloc: str, host: str) -> str:
        try:
            if netloc.startswith("[") and "%" not in host:  # a zone is a network of this machine's
                self.may_call(host, IPv6Address(host))
                return host
            if _NUMBER.match(host.rstrip(".").rpartition(".")[2]):
                # 2130706433, 0x7f.1 and 0177.0.0.1 are 127.0.0.1 to resolvers: only the usual notation is taken.
                self.may_call(host, IPv4Address(host))
                return host
        except ValueError:
            raise AddressRefused(f"{host!r} is no IP address in the usual notation") from None
        if not _NAME.match(host):
            raise AddressRefused(f"{host!r} is no name of a host")
        if f".{host.rstrip('.')}".endswith(".localhost"):
            self.may_call(host, IPv4Address("127.0.0.1"))
        return host


def _inner(ip: Ip) -> Ip:
    """The IPv4 address that an IPv6 one stands for."""
    if isinstance(ip, IPv6Address) and (ip in _MAPPED or ip in _NAT64):
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def _public(ip: Ip) -> bool:
    if isinstance(ip, IPv6Address) and ip not in _GLOBAL_V6:
        return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _ODD)


def allowance(text: str) -> Network | str:
    """A network or a name that is to be allowed. Raises ValueError for what is neither."""
    try:
        return ip_network(text)
    except ValueError:
        name = text.lower().rstrip(".")
        if not _NAME.match(name) or _NUMBER.match(name.rpartition(".")[2]):
            raise
        return name
