"""What a user sees of a project's tasks when processes are killed and the server is away."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.adopt.conftest import MakeProject
from tests.adopt.outage import Outage, spool_is_empty
from tests.adopt.project import Page
from tests.support.line import TcpProxy
from tests.support.system import System, wait_for

pytestmark = pytest.mark.slow

AWAY_SECONDS = 4.0  # script/soak has the full minute


@pytest.fixture
def server_line(system: System) -> Iterator[TcpProxy]:
    """The way to the server, which a test can cut."""
    line = TcpProxy(system.url)
    yield line
    line.close()


def test_no_line_is_lost_while_the_server_is_away_and_each_killed_task_ends(
    adopt: MakeProject, page: Page, server_line: TcpProxy
) -> None:
    project = adopt("lasting", "soon", url=server_line.url)
    outage = Outage(project, page, pause=0.01, tasks=16, lines=300)  # script/soak has 20 of 500
    with outage.running():
        outage.kill_sender()
        killed = {outage.kill_child(), *outage.kill_worker()}
        server_line.cut()
        time.sleep(AWAY_SECONDS)  # how long it is away is what is tested
        server_line.mend()
        outage.check(killed, 300)

        wait_for("an empty spool", lambda: spool_is_empty(project.logs / "spool"))


def test_what_is_in_the_spool_at_the_end_of_a_worker_is_sent_by_the_next(
    adopt: MakeProject, page: Page, server_line: TcpProxy
) -> None:
    project = adopt("lasting", "soon", url=server_line.url)
    server_line.cut()
    with project.worker("--concurrency", "1"):
        (one,) = project.run(
            "import lasting; sent = lasting.talk.delay(300, 0); print(sent.id); sent.get(timeout=60)"
        )
    assert not spool_is_empty(project.logs / "spool")

    server_line.mend()
    with project.worker("--concurrency", "1", name="next"):
        page.ended(one, "SUCCESS")

    assert page.lines(one) == [f"line {n}" for n in range(300)]


ADD_AND_DIE = """
import lasting
sent = lasting.add.delay(1, 2), lasting.dies.delay()
print(*(one.id for one in sent), sent[0].get(timeout=60))
"""


def test_a_task_ends_whose_child_is_killed_before_it_has_sent_that(adopt: MakeProject, page: Page) -> None:
    project = adopt("lasting", "lasting")
    with project.worker("--concurrency", "1"):
        added, killed, result = project.run(ADD_AND_DIE)

        page.ended(added, "SUCCESS")
        page.ended(killed, "FAILURE")

    assert result == "3"


def test_the_end_in_the_spool_of_a_killed_child_comes_first(
    adopt: MakeProject, page: Page, server_line: TcpProxy
) -> None:
    project = adopt("lasting", "lasting", url=server_line.url)
    with project.worker("--concurrency", "1"):
        server_line.cut()
        added, killed, _ = project.run(ADD_AND_DIE)
        wait_for("the lost child", lambda: "WorkerLostError" in project.log())
        server_line.mend()

        page.ended(added, "SUCCESS")
        page.ended(killed, "FAILURE")
        wait_for("an empty spool", lambda: spool_is_empty(project.logs / "spool"))

    # None began again because its end was said before its beginning.
    assert {task["task_id"] for task in page.user.get("tasks", limit=100)["tasks"]} == {added, killed}
