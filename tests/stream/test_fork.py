"""A forked child writes through a writer of its own: the parent's has no thread there."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.stream.helpers import messages, new_stream
from tests.support.system import ROOT, SECRET

pytestmark = pytest.mark.slow

PROGRAM = """
import os, sys
from tests.stream.helpers import line
from workers import runtime

stream = sys.argv[1]
parent = runtime.runtime().writer
parent.put(line(stream, "parent before"))
assert parent.flush(60)
child = os.fork()
if child == 0:
    own = runtime.runtime().writer
    assert own is not parent and own.id != parent.id
    own.put(line(stream, "child"))
    runtime.close(60)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert runtime.runtime().writer is parent
parent.put(line(stream, "parent after"))
runtime.close(60)
"""


def test_a_forked_child_gets_a_fresh_writer(database: str, redis_url: str):
    stream = new_stream(database)
    environment = {
        **os.environ,
        "TASKROOM_ENV": "embedded",
        "SECRET_KEY": SECRET,
        "DATABASE_URL": database,
        "REDIS_URL": redis_url,
    }

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, stream],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    assert messages(database, stream) == ["parent before", "child", "parent after"]
