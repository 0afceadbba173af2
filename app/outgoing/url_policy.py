"""Checks the URLs of users: none may lead into a private network.

A URL is parsed only here, and the request is made of the parts: a second parser could read it differently. The
addresses of a name are checked when the connection is made (app/outgoing/http_client.py).
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
# Databases and others that could read the lines of a request as commands. Below 1024 only 80 and 443 are allowed.
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
# In public ranges, but not public servers: protocol assignments, 6to4 relays, the metadata of a cloud. Teredo and
# 6to4 contain another address.
_NOT_PUBLIC = tuple(
    ip_network(n) for n in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "2001::/23", "2002::/16")
)


class AddressRefused(TaskroomError):
    """The URL is invalid or not allowed; the message tells its owner why."""


@dataclass(frozen=True, slots=True)
class Address:
    scheme: str
    host: str  # a name, or an IP address without brackets
    port: int
    target: str  # path and query

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class UrlPolicy:
    """``allowed``: private networks that may be called, and names, whatever their addresses are."""

    allowed: tuple[Network | str, ...] = ()
    plain_http: bool = False

    def address(self, url: str) -> Address:
        """Parses and checks a URL without resolving its name. Raises AddressRefused."""
        if len(url) > LONGEST_URL or not re.fullmatch(r"[!-\[\]-~]+", url):
            raise AddressRefused(
                f"an address is at most {LONGEST_URL} visible ASCII characters; encode others"
            )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise AddressRefused(f"this is not a valid URL: {error}") from None
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

    def check_ip(self, host: str, ip: Ip) -> None:
        """Raises AddressRefused unless the address of this name may be called."""
        inner = _inner(ip)
        if host.rstrip(".") in self.allowed:
            return
        if any(inner in network for network in self.allowed if not isinstance(network, str)):
            return
        if not _public(inner):
            # Without the address: the names of our network are not for users.
            raise AddressRefused(f"{host} leads into a private or reserved network")

    def _host(self, netloc: str, host: str) -> str:
        try:
            if netloc.startswith("[") and "%" not in host:  # a zone is a network interface of this machine
                self.check_ip(host, IPv6Address(host))
                return host
            if _NUMBER.match(host.rstrip(".").rpartition(".")[2]):
                # 2130706433, 0x7f.1 and 0177.0.0.1 are 127.0.0.1 for resolvers: only the usual notation is allowed.
                self.check_ip(host, IPv4Address(host))
                return host
        except ValueError:
            raise AddressRefused(f"{host!r} is not an IP address in the usual notation") from None
        if not _NAME.match(host):
            raise AddressRefused(f"{host!r} is not a valid host name")
        if f".{host.rstrip('.')}".endswith(".localhost"):
            self.check_ip(host, IPv4Address("127.0.0.1"))
        return host


def _inner(ip: Ip) -> Ip:
    """Returns the IPv4 address that an IPv6 address maps, or the address itself."""
    if isinstance(ip, IPv6Address) and (ip in _MAPPED or ip in _NAT64):
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def _public(ip: Ip) -> bool:
    if isinstance(ip, IPv6Address) and ip not in _GLOBAL_V6:
        return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NOT_PUBLIC)


def allowance(text: str) -> Network | str:
    """Parses an allowed network or name. Raises ValueError for other text."""
    try:
        return ip_network(text)
    except ValueError:
        name = text.lower().rstrip(".")
        if not _NAME.match(name) or _NUMBER.match(name.rpartition(".")[2]):
            raise
        return name
