"""A line belongs to the task whose code it comes from; a thread that a task left behind says nothing in a later one."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from typing import Any

import pytest

from taskroom import threads
from tests.workers.kept import OTHER, TASK, Kept, run_of
from workers import capture, contexts, current
from workers.errors import NoRun
from workers.progress import log

logger = logging.getLogger("tests.contexts")


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    contexts.install()
    capture.install()
    yield
    threads.uninstall()


def task(task_id: str, work: Callable[[], Any]) -> list[str]:
    """Runs it as an attempt of that task; what the task's log got meanwhile."""
    kept = Kept()
    with current.running(run_of(kept, task_id)):
        work()
    return [message for _, message, _ in kept.lines()]


class Lingering:
    """A thread that goes on after its task."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.errors: list[BaseException] = []
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        assert self.goes_on.wait(60)
        logger.warning("too late")
        try:
            log("too late")
        except NoRun as error:
            self.errors.append(error)

    def finish(self) -> None:
        self.goes_on.set()
        self.thread.join(60)
        assert not self.thread.is_alive()


def test_a_thread_of_an_earlier_task_says_nothing_in_a_later_one() -> None:
    lingering = Lingering()

    task(TASK, lingering.thread.start)
    later = task(OTHER, lingering.finish)

    assert later == []
    assert len(lingering.errors) == 1, "a report by hand says that no task runs"


def test_a_thread_of_the_task_reports_to_it() -> None:
    def work() -> None:
        def report() -> None:
            logger.warning("by logging")
            log("by hand")

        thread = threading.Thread(target=report)
        thread.start()
        thread.join(60)

    assert task(TASK, work) == ["by logging", "by hand"]


def test_a_thread_whose_name_only_begins_like_one_of_ours_is_the_tasks() -> None:
    def work() -> None:
        thread = threading.Thread(target=logger.warning, args=("imported",), name="taskroom-import")
        thread.start()
        thread.join(60)

    assert task(TASK, work) == ["imported"]


def test_a_thread_of_ours_is_no_tasks() -> None:
    seen: list[Any] = []

    def work() -> None:
        thread = threading.Thread(target=lambda: seen.append(current.find()), name="taskroom-writer")
        thread.start()
        thread.join(60)

    task(TASK, work)
    assert seen == [None]


def test_a_pool_that_an_earlier_task_made_works_for_the_later_one() -> None:
    with ThreadPoolExecutor(1) as pool:

        def work() -> None:
            pool.submit(logger.warning, "from the pool").result(60)

        assert task(TASK, work) == ["from the pool"]
        assert task(OTHER, work) == ["from the pool"]


def test_a_thread_that_was_there_before_any_task_belongs_to_none() -> None:
    lingering = Lingering()
    lingering.thread.start()

    assert task(OTHER, lingering.finish) == []


def test_a_thread_that_a_left_thread_starts_is_no_later_tasks() -> None:
    lingering = Lingering()
    started: list[threading.Thread] = []

    def go_on() -> None:
        assert lingering.goes_on.wait(60)
        started.append(threading.Thread(target=logger.warning, args=("too late",)))
        started[0].start()
        started[0].join(60)

    lingering.thread = threading.Thread(target=go_on, daemon=True)
    task(TASK, lingering.thread.start)

    assert task(OTHER, lingering.finish) == []
    assert started


def test_tasks_that_run_at_once_in_threads_have_their_own_lines() -> None:
    together, lines = threading.Barrier(2), dict[str, list[str]]()

    def run(task_id: str) -> None:
        def work() -> None:
            for _ in range(50):
                together.wait(60)
                logger.warning(task_id)
                log(task_id)

        lines[task_id] = task(task_id, work)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, (TASK, OTHER), timeout=60))

    assert lines == {TASK: [TASK] * 100, OTHER: [OTHER] * 100}


def test_coroutines_report_to_the_task_also_from_threads_that_they_wait_for() -> None:
    async def report() -> None:
        log("from a coroutine")
        await asyncio.get_running_loop().run_in_executor(None, log, "from its executor")
        await asyncio.create_task(asyncio.to_thread(log, "from a thread"))

    assert task(TASK, lambda: asyncio.run(report())) == [
        "from a coroutine",
        "from its executor",
        "from a thread",
    ]


def test_code_that_makes_itself_an_empty_context_is_in_no_task() -> None:
    def work() -> None:
        with pytest.raises(NoRun):
            Context().run(log, "from nowhere")

    assert task(TASK, work) == []
