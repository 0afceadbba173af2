"""Password hashes: argon2id with the parameters of the library, a limited number at a time."""

from __future__ import annotations

import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app import green
from app.errors import Full

_hasher = PasswordHasher()
RETRY_SECONDS = 5  # longer than a full queue takes


class Passwords:
    """Verifies passwords for one process. A check takes 64 MB and all cores for a tenth of a second, and needs no
    account: ``at_once`` checks run, ``waiting`` more wait, and further ones are refused."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._running = threading.BoundedSemaphore(at_once)
        self._admitted = threading.BoundedSemaphore(at_once + waiting)

    def verify(self, hashed: str | None, password: str) -> bool:
        """Calls the function ``verify`` in a thread. Raises Full when too many checks wait."""
        if not self._admitted.acquire(blocking=False):
            raise Full("Too many sign in at this moment; try again", retry_after=RETRY_SECONDS)
        try:
            with self._running:
                return green.offload(verify, hashed, password)
        finally:
            self._admitted.release()


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def verify(hashed: str | None, password: str) -> bool:
    """Returns whether the password matches. Without a hash it takes the same time: timing must not reveal accounts."""
    try:
        return _hasher.verify(hashed or _decoy(), password) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _decoy() -> str:
    return hash_password(secrets.token_hex(16))
