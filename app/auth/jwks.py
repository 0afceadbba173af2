"""The public keys of another issuer: one fixed key, or the key set at a URL."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt import PyJWK, PyJWKClient, PyJWTError

from app import green
from app.errors import Unavailable

logger = logging.getLogger("taskroom.issuers")

LEAST_RSA_BITS = 2048
FETCH_SECONDS = 3.0
FRESH_SECONDS = 600.0  # a withdrawn key is trusted for this time
STALE_SECONDS = 3600.0  # the same while the issuer does not answer
# A token may name a key that does not exist: this must not cause a request to the issuer each time.
REFETCH_SECONDS = 10.0


class FixedKey:
    def __init__(self, pem: str, algorithm: str) -> None:
        """Raises ValueError unless it is a public key for the algorithm."""
        self._key = _checked(load_pem_public_key(pem.encode()), algorithm)

    def wait(self, kid: str | None) -> None:
        """Returns at once."""

    def key(self, kid: str | None) -> Any:
        return self._key


class FetchedKeys:
    """A JSON Web Key Set. It is fetched at the first use, when it is old, and for a key that it lacks."""

    def __init__(self, url: str, algorithm: str) -> None:
        """Raises ValueError for an invalid URL."""
        try:
            # Without the client's cache: during an outage of the issuer it would send a request for every token.
            self._client = PyJWKClient(url, cache_jwk_set=False, timeout=FETCH_SECONDS)
        except PyJWTError as error:
            raise ValueError(str(error)) from None
        self._algorithm = algorithm
        self._keys: dict[str | None, Any] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._lock = threading.Lock()

    def wait(self, kid: str | None) -> None:
        """Returns when the key is known, or after a fetch. While one caller fetches, the others wait for the result,
        except those whose key is known and only due to be fetched again."""
        if self._knows(kid, FRESH_SECONDS) or not self._lock.acquire(not self._knows(kid, STALE_SECONDS)):
            return
        try:
            if not self._knows(kid, FRESH_SECONDS) and time.monotonic() - self._tried_at >= REFETCH_SECONDS:
                self._fetch()
        finally:
            self._lock.release()

    def key(self, kid: str | None) -> Any:
        """Returns the key with that id, or None; without an id, the only key. Raises Unavailable without keys."""
        self.wait(kid)
        if time.monotonic() - self._fetched_at > STALE_SECONDS:
            raise Unavailable("The issuer of this token does not answer; try again", retry_after=10)
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    def _knows(self, kid: str | None, seconds: float) -> bool:
        young = time.monotonic() - self._fetched_at < seconds
        return young and (kid is None or kid in self._keys)

    def _fetch(self) -> None:
        try:
            # The client limits each read only: a slow response could last for ever.
            with green.limit(FETCH_SECONDS, TimeoutError("no answer in time")):
                found = self._client.fetch_data()
        except (PyJWTError, OSError, ValueError) as error:
            logger.warning("the keys at %s cannot be read: %s", self._client.uri, error)
            return
        finally:
            self._tried_at = time.monotonic()
        self._keys = dict(self._usable(found.get("keys")))
        self._fetched_at = time.monotonic()

    def _usable(self, found: Any) -> Iterator[tuple[str | None, Any]]:
        """Yields the keys for the algorithm: a set may hold keys of other algorithms and unknown kinds."""
        for jwk in found if isinstance(found, list) else ():
            if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
                continue
            if jwk.get("alg", self._algorithm) != self._algorithm:
                continue
            try:
                yield jwk.get("kid"), _checked(PyJWK(jwk, self._algorithm).key, self._algorithm)
            except (PyJWTError, ValueError) as error:
                logger.warning("a key at %s is ignored: %s", self._client.uri, error)


Keys = FixedKey | FetchedKeys


def _checked(key: Any, algorithm: str) -> Any:
    """Returns the key. Raises ValueError unless it is a public key for the algorithm and strong enough."""
    if algorithm == "RS256":
        if not isinstance(key, RSAPublicKey):
            raise ValueError("RS256 needs a public RSA key")
        if key.key_size < LEAST_RSA_BITS:
            raise ValueError(f"the RSA key has {key.key_size} bits, fewer than {LEAST_RSA_BITS}")
    elif not (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)):
        raise ValueError("ES256 needs a public key on the curve P-256")
    return key
