"""The text of an API key or share token: how it is made, which is valid, and its hash, also that of a ticket."""

from __future__ import annotations

import hashlib
import re
import secrets

PREFIX, SHARE_PREFIX = "trk_", "trs_"
VALID = re.compile(r"trk_[A-Za-z0-9._~+/=-]{16,196}")  # the characters of a bearer token, RFC 6750
VALID_WORDS = f"{PREFIX} and 16 to 196 letters, digits or ._~+/=-"
SHOWN = 10  # first characters, by which an owner recognises a key


def new_key(prefix: str = PREFIX) -> str:
    return prefix + secrets.token_urlsafe(32)


def hash_of(key: str) -> str:
    """Returns the hash that is stored. A key, token or ticket has so many random bits that no salt nor slow hash is
    needed."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
