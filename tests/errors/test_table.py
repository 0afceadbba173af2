"""The table of docs/operations.md has each error that the code knows, and each row of it is given by a test."""

from __future__ import annotations

import errno

import pytest

from app.errors import causes
from app.errors.causes import Cause
from tests.errors.connects import CONNECTS
from tests.errors.kernel import GIVEN, SAID
from tests.errors.redis_states import STATES
from tests.errors.sessions import SESSIONS
from tests.errors.table import CAUSE_OF, PART_OF

# Given in tests of their own: by a cluster, a server that shuts down, a command that waits, a process without files.
APART = {"CLUSTERDOWN", "57P03", "UNBLOCKED", "WRONGTYPE", "EMFILE", "KeyError"}


def test_each_row_is_given_and_nothing_is_given_that_has_no_row() -> None:
    states = {given.state for given in (*SESSIONS, *CONNECTS)} - {""}
    given = states | {each.name for each in STATES} | {*GIVEN, *SAID} | APART

    assert given == CAUSE_OF.keys()


def test_each_cause_is_a_row() -> None:
    assert list(PART_OF) == [cause.value for cause in Cause]
    assert set(CAUSE_OF.values()) == PART_OF.keys()


def test_a_temporary_cause_is_503_and_tried_again_everywhere() -> None:
    for cause in Cause:
        row = PART_OF[cause.value]
        told = ("503", "comes back", "tries again", "one line")
        assert (tuple(row.values())[4:] == told) is cause.is_temporary, row


@pytest.mark.parametrize("state", sorted(causes._SQLSTATES))
def test_each_class_and_state_that_the_code_knows_has_a_row(state: str) -> None:
    rows = {cause for name, cause in CAUSE_OF.items() if name.startswith(state)}

    assert rows and (len(state) == 2 or rows == {causes._SQLSTATES[state].value})


@pytest.mark.parametrize("word", sorted(causes._REDIS))
def test_each_answer_of_redis_that_the_code_knows_has_a_row(word: str) -> None:
    assert CAUSE_OF[word] == causes._REDIS[word].value


@pytest.mark.parametrize("number", sorted(causes._DISK | causes.OUT_OF_FILES_OR_MEMORY))
def test_each_shortage_has_a_row(number: int) -> None:
    assert CAUSE_OF[errno.errorcode[number]] == "out of resources"
