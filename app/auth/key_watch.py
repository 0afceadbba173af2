"""Closes the streams and sockets of API keys and shares that have ended, or whose owner has other rights now."""

from __future__ import annotations

from typing import Protocol

from app.auth.key_authenticator import KeyAuthenticator
from app.auth.principal import Principal
from app.auth.sign_out import SignOut
from app.periodic import Periodic

WATCH_SECONDS = 0.5  # with the second for which a key is cached, less than two


class Transport(Protocol):
    """The open connections of one kind."""

    def principals_of_keys(self) -> set[Principal]:
        """Returns the principals that were authenticated by a key or share token."""

    def close_of(self, principal: Principal) -> None:
        """Closes the principal's connections, so that their clients come back with the rights of now."""


class KeyWatch:
    """Reads the keys and shares of all open connections of this process twice a second; without any it reads nothing.
    So it does not matter how a key, a share or its owner was changed, nor whether the message of a revocation arrived.

    Also writes when keys were used last, so that requests do not wait for that."""

    def __init__(self, keys: KeyAuthenticator, sign_out: SignOut) -> None:
        self._keys, self._sign_out = keys, sign_out
        self.transports: list[Transport] = []
        self.thread = Periodic("keys", WATCH_SECONDS, self.check)

    def check(self) -> None:
        """Raises DatabaseUnavailable."""
        opened = {principal for each in self.transports for principal in each.principals_of_keys()}
        if opened:
            live = self._keys.present({principal.session_id for principal in opened})
            for principal in opened:
                self._compare(principal, live.get(principal.session_id))
        self._keys.write_used()

    def _compare(self, opened: Principal, now: Principal | None) -> None:
        if now is None:
            self._sign_out.here(opened.session_id)
        elif not now.has_rights_of(opened):
            for transport in self.transports:
                transport.close_of(opened)
