"""The watch over the open connections of API keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.auth.key_watch import KeyWatch
from app.auth.principal import Principal

ANN = Principal("ann", "ann@x.org", "operator", "acme", "k1", float("inf"), frozenset({"read"}), "k1")
BOB = replace(ANN, user_id="bob", session_id="k2", key_id="k2")


class Keys:
    """Postgres, with the live keys."""

    def __init__(self, *live: Principal) -> None:
        self.live = {principal.session_id: principal for principal in live}
        self.asked: list[set[str]] = []
        self.written = 0

    def present(self, ids: set[str]) -> dict[str, Principal]:
        self.asked.append(ids)
        return {id: principal for id, principal in self.live.items() if id in ids}

    def write_used(self) -> None:
        self.written += 1


class Transport:
    def __init__(self, *opened: Principal) -> None:
        self.opened = set(opened)
        self.closed: list[Principal] = []

    def principals_of_keys(self) -> set[Principal]:
        return self.opened

    def close_of(self, principal: Principal) -> None:
        self.closed.append(principal)


class SignOut:
    def __init__(self) -> None:
        self.ended: list[str] = []

    def here(self, session_id: str) -> None:
        self.ended.append(session_id)


def watch(keys: Any, *transports: Transport) -> tuple[KeyWatch, list[str]]:
    sign_out: Any = SignOut()
    made = KeyWatch(keys, sign_out)
    made.transports += transports
    return made, sign_out.ended


def test_nothing_is_asked_while_no_key_has_a_connection() -> None:
    keys = Keys(ANN)

    watch(keys, Transport())[0].check()

    assert (keys.asked, keys.written) == ([], 1)


def test_a_key_that_is_gone_is_signed_out_and_the_others_stay() -> None:
    keys, streams, sockets = Keys(BOB), Transport(ANN, BOB), Transport(ANN)

    made, ended = watch(keys, streams, sockets)
    made.check()

    assert keys.asked == [{"k1", "k2"}]
    assert ended == ["k1"]
    assert streams.closed == sockets.closed == []


def test_other_rights_close_what_was_opened_with_those_before() -> None:
    before = replace(ANN, role="admin")
    keys, streams = Keys(ANN), Transport(ANN, before)

    made, ended = watch(keys, streams)
    made.check()

    assert streams.closed == [before], "what was opened since stays"
    assert ended == []


def test_another_address_of_the_owner_closes_nothing() -> None:
    streams = Transport(replace(ANN, email="before@x.org"))

    watch(Keys(ANN), streams)[0].check()

    assert streams.closed == []
