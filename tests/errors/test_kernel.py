"""Errors of the kernel: each has the cause of the table, also under the drivers, which pass on their texts."""

from __future__ import annotations

from collections.abc import Callable

import psycopg2
import pytest

from app.errors import causes
from tests.errors.kernel import GIVEN, SAID, in_a_process
from tests.errors.table import UNENCODABLE, cause_of
from tests.stream.helpers import sql

pytestmark = pytest.mark.slow

SHORT = cause_of("EMFILE")


@pytest.mark.parametrize(("name", "give"), GIVEN.items(), ids=GIVEN)
def test_what_the_kernel_gives(name: str, give: Callable[[], None]):
    with pytest.raises(OSError) as raised:
        give()

    assert causes.of(raised.value).value == cause_of(name)


@pytest.mark.parametrize(("name", "error"), SAID.items(), ids=SAID)
def test_what_not_every_machine_gives(name: str, error: OSError):
    assert causes.of(error).value == cause_of(name)


@pytest.mark.parametrize(
    ("imports", "call"),
    [
        ("import psycopg2", "psycopg2.connect('postgresql://127.0.0.1:1/x')"),
        ("from tests.errors.redis_states import client", "client('redis://127.0.0.1:1/0').ping()"),
        ("", "socket.socket()"),
    ],
    ids=["psycopg2", "redis", "sockets"],
)
def test_a_process_without_files_is_no_server_that_is_away(imports: str, call: str):
    assert in_a_process(imports, f"print(without_files(lambda: {call}))") == SHORT
    assert in_a_process(imports, f"print(told(lambda: {call}))") in ("no error", cause_of("ECONNREFUSED"))


def test_a_process_without_files_cannot_send_and_says_so_of_itself():
    imports = """
from ipaddress import ip_network
from app.outgoing.http_client import post
from app.outgoing.url_policy import UrlPolicy
"""
    code = """
rules = UrlPolicy((ip_network("127.0.0.0/8"),), plain_http=True)
send = lambda: post("http://127.0.0.1:20001/", {}, b"", rules)
told(send)  # what is imported late needs a file
print(without_files(send))
"""

    assert in_a_process(imports, code) == SHORT


def test_no_memory_and_no_thread():
    """A thread's stack of a gigabyte, and a text of two, in a process that may have less."""
    code = """
resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000, 1_000_000_000))
print(told(lambda: "x" * 2_000_000_000))
threading.stack_size(1 << 30)
print(told(threading.Thread(target=print).start))
"""
    assert in_a_process("", code).splitlines() == [SHORT, SHORT]


@pytest.mark.parametrize("value", ["a\0b", "\ud800", object()], ids=["NUL", "surrogate", "no type"])
def test_what_the_driver_cannot_encode_is_invalid_data(database: str, value: object):
    with pytest.raises(Exception) as raised:
        sql(database, "SELECT %s", value)

    assert causes.of(raised.value).value == UNENCODABLE


@pytest.mark.parametrize(
    "error",
    [KeyError("status"), ValueError("a number"), TypeError("None"), IndexError(), ZeroDivisionError()]
    + [AttributeError(), AssertionError(), RuntimeError(), FileNotFoundError(), psycopg2.ProgrammingError()],
    ids=repr,
)
def test_an_error_of_our_own_code_is_a_bug_and_blames_nothing(error: Exception):
    assert causes.of(error).value == cause_of("KeyError") == "bug"
