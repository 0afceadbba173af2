"""A line belongs to the task whose code it comes from; a thread that a task left behind says nothing in a later one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.workers.kept import OTHER, TASK, Kept, run_of
from workers import capture, contexts
from workers import run as runs
from workers.progress import log
from workers.run import NoRun

logger = logging.getLogger("tests.contexts")


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    contexts.install()
    yield
    contexts.uninstall()
    runs.enter(None)


def task(task_id: str, work: Callable[[], Any]) -> list[str]:
    """Runs it as an attempt of that task; what the task's log got meanwhile."""
    kept = Kept()
    run = run_of(kept, task_id)
    runs.enter(run)
    try:
        with capture.captured(run):
            work()
    finally:
        runs.enter(None)
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
        thread = threading.Thread(target=lambda: seen.append(runs.find()), name="taskroom-writer")
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
