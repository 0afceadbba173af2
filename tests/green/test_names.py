"""How names are looked up in a patched process."""

from __future__ import annotations

import subprocess
import sys

from tests.support.system import ROOT

LOOKS_UP = """
import os, select, socket, sys

answer, question = os.pipe()
wait, read = select.select, os.read  # before they are patched: these hold the thread that calls them


def name_server(*args, **kwargs):
    assert wait([answer], [], [], 60)[0], "the loop did not go on"
    read(answer, 1)
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))]


socket.getaddrinfo = name_server
from app import green

green.patch()
import eventlet
from eventlet.green import socket as green_socket

asked = [eventlet.spawn(each.getaddrinfo, "name.example", 1) for each in (socket, green_socket)]
eventlet.sleep(0)
os.write(question, b"12")
print(*(each.wait()[0][4][0] for each in asked), any(name.partition(".")[0] == "dns" for name in sys.modules))
"""


def test_a_name_server_that_is_silent_does_not_hold_the_loop() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOOKS_UP],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.returncode) == ("127.0.0.1 127.0.0.1 False\n", 0), done.stderr
