"""What a page shows of a task while it says where it is, and what is left of its children and its worker's death."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.adopt.conftest import MakeProject
from tests.adopt.project import Page
from tests.support.line import TcpProxy
from tests.support.system import System, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def server_line(system: System) -> Iterator[TcpProxy]:
    """The way to the server, which a test can cut."""
    line = TcpProxy(system.url)
    yield line
    line.close()


def test_a_page_shows_each_state_as_it_is_and_the_last_of_quick_ones(adopt: MakeProject, page: Page) -> None:
    project = adopt("lasting", "lasting")
    (project.logs / "marks").mkdir()
    with project.worker("--concurrency", "1"):
        (one,) = project.run(
            f"import lasting; print(lasting.steps.delay({str(project.logs / 'marks')!r}).id)"
        )

        def shows(phase: str, done: int, progress: float, message: str) -> None:
            wait_for(
                f"{phase} at {done}",
                lambda: (
                    (task := page.known(one))
                    and (task["current_phase"], task["current_phase_message"]) == (phase, message)
                    and task["progress"] == progress
                    and page.phases(one)[-1][2:] == (done, 100)
                ),
            )

        shows("downloading", 10, 10.0, "fetching 3 GB")
        (project.logs / "marks" / "crunch").touch()
        shows("crunching", 60, 60.0, "the second half")
        (project.logs / "marks" / "end").touch()
        page.ended(one, "SUCCESS")


def test_the_lines_of_a_child_that_a_task_forks_are_its_own(adopt: MakeProject, page: Page) -> None:
    project = adopt("lasting", "lasting")
    with project.worker("--concurrency", "1"):
        (one,) = project.run("import lasting; print(lasting.forks.delay().id)")
        page.ended(one, "SUCCESS")

    assert sorted(page.lines(one)) == ["also in the child", "in the child", "in the parent"]


def test_tasks_that_ended_while_the_server_was_away_have_ended_though_their_worker_was_killed(
    adopt: MakeProject, page: Page, server_line: TcpProxy
) -> None:
    project = adopt("lasting", "soon", url=server_line.url)
    with project.worker("--concurrency", "2") as worker:
        (first,) = project.run("import lasting; print(lasting.talk.delay(1, 0).id)")
        page.ended(first, "SUCCESS")
        server_line.cut()
        ids = project.run(
            "import lasting\n"
            "sent = [lasting.talk.delay(100, 0.01) for _ in range(4)]\n"
            "for one in sent: print(one.id), one.get(timeout=60)"
        )
        wait_for("the ends", lambda: project.log().count(" succeeded in ") == 5)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(60)

    server_line.mend()
    with project.worker("--concurrency", "1", name="next"):
        for one in ids:
            page.ended(one, "SUCCESS")

    assert [page.lines(one) for one in ids] == [[f"line {n}" for n in range(100)]] * 4
