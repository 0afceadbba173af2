"""Which addresses may be called, however they are written."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from app.config import Config
from app.errors import ConfigurationError
from app.outgoing.url_policy import AddressRefused, UrlPolicy, allowance
from tests.support.system import SECRET

EMBEDDED = UrlPolicy(plain_http=True)

PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "192.88.99.1",
    "[::]",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::1]",
    "[2001:0:102:304::1]",
    "[fe80::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[100::1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
]
ODD = [
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "127.1",
    "127.0.1",
    "0",
    "00000000.1",
    "127.0.0.1.",
    "127.0.0.256",
    "1.2.3.4.5",
    "%31%32%37.0.0.1",
    "①②⑦.0.0.1",
    "１２７.0.0.1",
    "[::1%25lo]",
    "[fe80::1%25eth0]",
    "[2606:4700::1%251]",
    "[::g]",
    "[127.0.0.1]",
    "exa_mple..org",
    "-a.org",
    "-",
]
FORMS = [
    "ftp://example.org",
    "file:///etc/passwd",
    "gopher://example.org",
    "example.org",
    "//example.org",
    "http:",
    "https://",
    "https://user:word@example.org",
    "https://user@example.org",
    "https://@example.org",
    "https://example.org/#part",
    "https://example.org:22",
    "https://example.org:25",
    "https://example.org:6379",
    "https://example.org:5432",
    "https://example.org:0",
    "https://example.org:65536",
    "https://example.org:x",
    "https://example.org\\@127.0.0.1",
    "https://example.org/é",
]


@pytest.mark.parametrize("host", PRIVATE)
def test_a_private_address_is_refused_in_every_notation(host: str) -> None:
    with pytest.raises(AddressRefused, match="private or reserved"):
        EMBEDDED.address(f"http://{host}/hook")


@pytest.mark.parametrize("host", ODD)
def test_a_host_that_resolvers_may_read_in_another_way_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        EMBEDDED.address(f"http://{host}/hook")


@pytest.mark.parametrize(
    "url", [*FORMS, "https://exa mple.org", "https://example.org/\r\nHost: x", "x" * 3000]
)
def test_what_is_no_plain_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        EMBEDDED.address(url)


@pytest.mark.parametrize(
    ("url", "authority", "target"),
    [
        ("https://hooks.example.org", "hooks.example.org", "/"),
        ("https://Hooks.Example.org:8443/a/b?c=d&e", "hooks.example.org:8443", "/a/b?c=d&e"),
        ("http://example.org:443/?x", "example.org:443", "/?x"),
        ("https://1.1.1.1/", "1.1.1.1", "/"),
        ("https://[2606:4700::1111]:9443/", "[2606:4700::1111]:9443", "/"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", "/"),
    ],
)
def test_what_is_public_may_be_called(url: str, authority: str, target: str) -> None:
    address = EMBEDDED.address(url)

    assert (address.authority, address.target) == (authority, target)


def test_in_production_only_by_tls() -> None:
    assert UrlPolicy().address("https://example.org").port == 443
    with pytest.raises(AddressRefused, match="https"):
        UrlPolicy().address("http://example.org")


def test_what_is_configured_may_be_called_and_nothing_beside_it() -> None:
    rules = UrlPolicy(
        tuple(allowance(a) for a in ("10.1.0.0/16", "fd00:1::/32", "Hooks.internal")), plain_http=True
    )

    for host, ip in (("x.org", "10.1.2.3"), ("x.org", "::ffff:10.1.2.3"), ("x.org", "fd00:1::1")):
        rules.check_ip(host, ip_address(ip))
    rules.check_ip("hooks.internal", ip_address("192.168.7.7"))
    assert rules.address("http://10.1.2.3:8080/").host == "10.1.2.3"
    for host, ip in (("x.org", "10.2.0.1"), ("more.hooks.internal", "192.168.7.7"), ("x.org", "127.0.0.1")):
        with pytest.raises(AddressRefused):
            rules.check_ip(host, ip_address(ip))


@pytest.mark.parametrize(
    "text", ["*", "10.0.0.1/8", "10.0.0.0/33", "a b", "http://x.org", "1234", "x.org:80"]
)
def test_what_is_neither_network_nor_name_is_no_setting(text: str) -> None:
    env = {"SECRET_KEY": SECRET, "DATABASE_URL": "postgresql://x", "REDIS_URL": "redis://x"}

    with pytest.raises(ConfigurationError, match=r"^WEBHOOK_ALLOW_PRIVATE:"):
        Config.from_env(env | {"WEBHOOK_ALLOW_PRIVATE": f"10.0.0.0/8, {text}"})


@pytest.mark.parametrize("text", ["0", "-1", "x", "50000", "1," * 11, "nan", "inf"])
def test_times_that_cannot_be_are_no_setting(text: str) -> None:
    env = {"SECRET_KEY": SECRET, "DATABASE_URL": "postgresql://x", "REDIS_URL": "redis://x"}

    with pytest.raises(ConfigurationError, match=r"^WEBHOOK_RETRY_SECONDS:"):
        Config.from_env(env | {"WEBHOOK_RETRY_SECONDS": text})
