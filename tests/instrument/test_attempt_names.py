"""The names of attempts: another one for each delivery, whichever process gives it."""

from __future__ import annotations

import multiprocessing

from taskroom.celery import attempts

ATTEMPT_LIMIT = 64  # characters, of the protocol


def _two_names(host: str) -> list[str]:
    return [attempts.name_of(12, host), attempts.name_of(12, host)]


def test_no_two_processes_give_the_same_name() -> None:
    host = "h" * 200
    ours = _two_names(host)

    with multiprocessing.get_context("fork").Pool(2) as pool:
        names = [*ours, *_two_names(host), *pool.apply(_two_names, (host,)), *pool.apply(_two_names, (host,))]

    assert len(set(names)) == len(names) == 8
    assert all(name.startswith("12-hhh") and len(name) <= ATTEMPT_LIMIT for name in names)
