"""Password hashes: argon2id with the library's own parameters, a few of them at a time."""

from __future__ import annotations

import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app import green
from app.errors import Unavailable

_hasher = PasswordHasher()
RETRY_SECONDS = 5  # longer than a full queue takes


class Passwords:
    """The checks of one process. A check takes 64 MB and all cores for a tenth of a second, and anybody may ask for
    one: ``at_once`` of them run, ``waiting`` more wait for their turn, all others are turned away."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._running = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + waiting)

    def verify(self, hashed: str | None, password: str) -> bool:
        """As ``verify`` below, in a thread of its own. Raises Unavailable when too many wait already."""
        if not self._places.acquire(blocking=False):
            raise Unavailable("Too many sign in at this moment; try again", retry_after=RETRY_SECONDS)
        try:
            with self._running:
                return green.offload(verify, hashed, password)
        finally:
            self._places.release()


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def verify(hashed: str | None, password: str) -> bool:
    """False for no hash as well, and no sooner: the time of an answer must not tell which accounts exist."""
    try:
        return _hasher.verify(hashed or _decoy(), password) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _decoy() -> str:
    return hash_password(secrets.token_hex(16))
