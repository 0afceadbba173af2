"""The API called as its own document says it may be, and as it says it may not: no fault of ours, no answer that
is not in the document."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from app.realtime.dialects import DIALECTS
from tests.api.routes import document
from tests.support.system import System, User

EXAMPLES = int(
    os.environ.get("FUZZ_EXAMPLES", "4")
)  # of each kind, for each operation; script/soak --fuzz: 50
# These have no end, so that only their beginning can be looked at.
LIVE = {f"/api/v2/{name}" for name in ("events/stream", "notifications/stream", "stream")}
LIVE |= {d.path for d in DIALECTS if "task_id" not in d.path}


# How a request is framed is the server's business, before any route: tests/realtime/raw.py speaks to it. Hypothesis
# likes these names when it meets them in the modules that happen to be imported. So is the length of the first line,
# 8 KiB at most: a wrong cursor may be longer.
FRAMING = {"connection", "content-length", "expect", "host", "transfer-encoding", "upgrade"}
LONGEST_PATH = 8_192 - len("DELETE  HTTP/1.1\r\n")


@pytest.fixture(scope="module")
def finished(system: System) -> Iterator[tuple[User, str]]:
    """Somebody with a task that has ended."""
    user = system.user()
    task_id = user.start("test_phases", count=5)
    user.finished(task_id)
    yield user, task_id
    user.client.close()


def call(system: System, operation: Any, user: User, task_id: str, negative: bool, session: Any) -> None:
    from tests.api.described import CHECKS, mode

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode(negative)), foreign=st.booleans())
    def calls(case: Any, foreign: bool) -> None:
        if "task_id" in case.path_parameters and not foreign:
            case.path_parameters["task_id"] = task_id
        for name in [name for name in case.headers or {} if name.lower() in FRAMING]:
            del case.headers[name]
        headers = {"Authorization": f"Bearer {user.token}"}
        if operation.path in LIVE:
            asked = case.as_transport_kwargs(base_url=system.url, headers=headers)
            with session.request(**asked, timeout=60, stream=True) as answer:
                assert answer.status_code in (200, 400, 401, 404, 422), answer.text
        else:
            answer = case.call(base_url=system.url, headers=headers, timeout=60, session=session)
            if answer.status_code == 414:
                assert len(answer.request.path_url) > LONGEST_PATH, answer.request.path_url
            else:
                case.validate_response(answer, checks=CHECKS)

    # Nothing can be wrong with a call that takes nothing; that one could not be right would be a fault of ours.
    with suppress(Unsatisfiable) if negative else nullcontext():
        calls()


def test_no_call_of_the_document_finds_a_fault(
    system: System, finished: tuple[User, str], subtests: pytest.Subtests
) -> None:
    from tests.api.described import operations_of

    user, task_id = finished
    leaver = system.user()
    with requests.Session() as session:
        for name, operation in operations_of(document(system)).items():
            caller = leaver if name.endswith("/logout") else user
            for negative in (False, True):
                with subtests.test(name, negative=negative):
                    call(system, operation, caller, task_id, negative, session)
    leaver.client.close()
