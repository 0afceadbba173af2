"""The public keys of another issuer: one that is written down, or those at its address."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt import PyJWK, PyJWKClient, PyJWTError

from app import green
from app.errors import Unavailable

logger = logging.getLogger("taskroom.issuers")

LEAST_RSA_BITS = 2048
FETCH_SECONDS = 3.0
FRESH_SECONDS = 600.0  # a key that its issuer took back is believed for so long
STALE_SECONDS = 3600.0  # or for so long, while the issuer does not answer
# Anybody can name a key that does not exist, and that must not make us call the issuer each time.
AGAIN_SECONDS = 10.0


class Keys(Protocol):
    def key(self, kid: str | None) -> Any:
        """The key of that id; None when there is none. Raises Unavailable when that cannot be known."""


class WrittenKey:
    def __init__(self, pem: str, algorithm: str) -> None:
        """Raises ValueError unless it is a public key for the algorithm."""
        self._key = _checked(load_pem_public_key(pem.encode()), algorithm)

    def key(self, kid: str | None) -> Any:
        """The one key, whatever it is called."""
        return self._key


class KeysAt:
    """A JSON Web Key Set, fetched when a key is first needed, when it is old, and for a key that is not in it."""

    def __init__(self, url: str, algorithm: str) -> None:
        """Raises ValueError for what is no address."""
        try:
            # Its own memory is not used: while the issuer is away it would call for every token.
            self._client = PyJWKClient(url, cache_jwk_set=False, timeout=FETCH_SECONDS)
        except PyJWTError as error:
            raise ValueError(str(error)) from None
        self._algorithm = algorithm
        self._keys: dict[str | None, Any] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._lock = threading.Lock()

    def key(self, kid: str | None) -> Any:
        """Without an id: the only key."""
        if not self._knows(kid):
            with self._lock:  # who comes while it is fetched waits for that
                if not self._knows(kid) and time.monotonic() - self._tried_at >= AGAIN_SECONDS:
                    self._fetch()
        if time.monotonic() - self._fetched_at > STALE_SECONDS:
            raise Unavailable("The issuer of this token does not answer; try again", retry_after=10)
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    def _knows(self, kid: str | None) -> bool:
        fresh = time.monotonic() - self._fetched_at < FRESH_SECONDS
        return fresh and (kid is None or kid in self._keys)

    def _fetch(self) -> None:
        self._tried_at = time.monotonic()
        try:
            # The client's limit is of each wait: a trickle would hold it for ever.
            with green.limit(FETCH_SECONDS, TimeoutError("no answer in time")):
                found = self._client.fetch_data()
        except (PyJWTError, OSError, ValueError) as error:
            logger.warning("the keys at %s cannot be read: %s", self._client.uri, error)
            return
        self._keys = dict(self._usable(found.get("keys")))
        self._fetched_at = time.monotonic()

    def _usable(self, found: Any) -> Iterator[tuple[str | None, Any]]:
        """Each key that may sign with the algorithm: a set holds others too, and kinds that nobody here knows."""
        for jwk in found if isinstance(found, list) else ():
            if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
                continue
            if jwk.get("alg", self._algorithm) != self._algorithm:
                continue
            try:
                yield jwk.get("kid"), _checked(PyJWK(jwk, self._algorithm).key, self._algorithm)
            except (PyJWTError, ValueError) as error:
                logger.warning("a key at %s is passed over: %s", self._client.uri, error)


def _checked(key: Any, algorithm: str) -> Any:
    """The key. Raises ValueError unless it is a public one, of the algorithm's kind and strong enough."""
    if algorithm == "RS256":
        if not isinstance(key, RSAPublicKey):
            raise ValueError("RS256 needs a public RSA key")
        if key.key_size < LEAST_RSA_BITS:
            raise ValueError(f"the RSA key has {key.key_size} bits, fewer than {LEAST_RSA_BITS}")
    elif not (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)):
        raise ValueError("ES256 needs a public key on the curve P-256")
    return key
