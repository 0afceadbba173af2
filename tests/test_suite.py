"""The suite itself: what its summary counts, which tests a lane has, what it finds left behind, that busy loops end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from app.up.home import Home
from tests import again
from tests.stream.helpers import sql
from tests.support import in_memory, left_behind, summary
from tests.support.embedded import EmbeddedRedis
from tests.support.servers import Servers
from tests.support.system import ROOT, wait_for

pytestmark = pytest.mark.slow

ONE = """<testsuites><testsuite>
<testcase classname="tests.stream.test_room" name="test_a[1]" time="0.5"/>
<testcase classname="tests.stream.test_room" name="test_b" time="2"><failure message="x">y</failure></testcase>
<testcase classname="tests.test_inbox" name="test_c" time="1"><skipped message="no root"/></testcase>
</testsuite></testsuites>"""
TORN_DOWN = """<testsuites><testsuite>
<testcase classname="tests.stream.test_room" name="test_d" time="1"/>
<testcase classname="tests.stream.test_room" name="test_d" time="3"><error message="teardown">z</error></testcase>
</testsuite></testsuites>"""
SAMPLE = """
import pytest
def test_beside(): pass
@pytest.mark.alone
def test_alone(): pass
@pytest.mark.slow
def test_slow(): pass
"""


@pytest.fixture
def reports(tmp_path: Path) -> list[Path]:
    (tmp_path / "beside.xml").write_text(ONE)
    (tmp_path / "alone.xml").write_text(TORN_DOWN)
    return sorted(tmp_path.glob("*.xml"))


def test_the_summary_counts_each_test_once_and_names_what_failed(
    reports: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert summary.main(reports) == 1

    output = capsys.readouterr().out.splitlines()
    assert output[1] == "the slowest of 4 tests:"
    assert output[2].split() == ["4.0", "s", "tests/stream/test_room.py::test_d"]  # with its teardown
    assert [line for line in output if line.startswith("failed")] == [
        "failed: tests/stream/test_room.py::test_d",
        "failed: tests/stream/test_room.py::test_b",
    ]
    assert output[-1] == "1 passed, 2 failed, 1 skipped"


def test_no_test_at_all_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "beside.xml").write_text("<testsuites><testsuite/></testsuites>")
    assert summary.main([tmp_path / "beside.xml"]) == 5


@pytest.mark.parametrize(
    ("lane", "names"),
    [
        ("all", ["test_beside", "test_alone", "test_slow"]),
        ("beside", ["test_beside", "test_slow"]),
        ("alone", ["test_alone"]),
        ("quick", ["test_beside"]),
    ],
)
def test_each_test_is_in_one_lane(lane: str, names: list[str], tmp_path: Path) -> None:
    found = collected(lane, tmp_path, "tests/realtime/test_flooded.py")

    assert found.returncode == 0
    assert [line.rpartition("::")[2] for line in found.stdout.splitlines() if "::" in line] == names


def test_a_test_that_its_lane_would_not_read_is_named(tmp_path: Path) -> None:
    found = collected("beside", tmp_path, "tests/realtime/test_other.py")

    assert found.returncode == 4
    assert "tests/realtime/test_other.py::test_alone is marked alone: name its file in ALONE" in found.stderr


def collected(lane: str, folder: Path, file: str) -> subprocess.CompletedProcess[str]:
    """What pytest says that the lane has of the sample in this file."""
    path = folder / file
    path.parent.mkdir(parents=True)
    path.write_text(SAMPLE)
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    where = ["--rootdir", str(folder), "-c", str(ROOT / "pyproject.toml"), str(folder)]
    return subprocess.run([*command, "--lane", lane, *where], cwd=ROOT, capture_output=True, text=True)


VITEST = """<testsuites><testsuite>
<testcase classname="src/state/rows.test.ts" name="a row keeps nothing" time="0.1"><failure>x</failure></testcase>
</testsuite></testsuites>"""


def test_the_front_ends_tests_are_counted_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "browser.xml").write_text(VITEST)

    assert summary.main([tmp_path / "browser.xml"]) == 1
    assert "failed: static/src/state/rows.test.ts::a row keeps nothing" in capsys.readouterr().out


def test_a_server_that_is_left_is_found_though_its_environment_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home.open(tmp_path / "home")
    with EmbeddedRedis(home) as server:
        pid = server.pid
        assert pid in dict(left_behind.processes(tmp_path / "another", tmp_path))
        monkeypatch.setattr(left_behind, "WAIT_SECONDS", 0.0)

        assert left_behind.main(tmp_path) == 1

    assert f"left behind: process {pid}, " in capsys.readouterr().out
    assert left_behind.main(tmp_path) == 0


def test_what_its_environment_tells_of_is_found(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(["sleep", "600"], env=environment) as other:
        assert dict(left_behind.processes(tmp_path)) == {other.pid: "sleep 600"}
        other.kill()


def test_busy_loops_end_with_the_run() -> None:
    with again.busy_machine() as loops:
        assert loops and all(loop.poll() is None for loop in loops)
    assert all(loop.poll() is not None for loop in loops)


def test_a_busy_loop_ends_with_its_parent() -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys; from tests.again import BUSY;"
            "import os;"
            "command = [sys.executable, '-c', BUSY, str(os.getpid())];"
            "print(subprocess.Popen(command, stdout=subprocess.DEVNULL).pid)",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    loop, _ = parent.communicate()
    wait_for("its end", lambda: not _runs(int(loop)))


def _runs(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    try:
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_servers_are_in_memory_only_where_there_is_room(tmp_path: Path) -> None:
    assert in_memory.has_room(tmp_path, free_bytes=0) is False, "files that a disk keeps"
    assert in_memory.has_room(tmp_path / "no such folder") is False
    assert in_memory.has_room(in_memory.SHARED, free_bytes=2**60) is False


def test_what_a_killed_run_left_in_memory_is_removed(tmp_path: Path) -> None:
    dead = subprocess.Popen(("true",))
    dead.wait()
    for name, process in (("dead", dead.pid), ("alive", os.getpid()), ("other", None)):
        folder = tmp_path / f"taskroom-tests-{name}"
        (folder / "data").mkdir(parents=True)
        if process:
            (folder / in_memory.RUN).write_text(f"{process}\n")

    in_memory.remove_dead(tmp_path)

    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["taskroom-tests-alive", "taskroom-tests-other"]


def test_a_database_of_a_test_ends_with_it(servers: Servers) -> None:
    with servers.database() as url:
        forgotten = psycopg2.connect(url)
        name = url.rpartition("/")[2]
        named = "SELECT datname FROM pg_database WHERE datname = %s"
        assert sql(servers.postgres_url, named, name) == [(name,)]

    assert sql(servers.postgres_url, named, name) == []
    forgotten.close()
