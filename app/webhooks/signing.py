"""The signature of a webhook, by the Standard Webhooks specification (https://www.standardwebhooks.com):

``webhook-id`` is the same at every try, ``webhook-timestamp`` is the time of this try (epoch seconds), and
``webhook-signature`` is ``v1,`` and the base64 of the HMAC-SHA256 of ``<id>.<timestamp>.<body>``. The secret is
``whsec_`` and the base64 of the key.

Secrets are stored encrypted with a key derived from SECRET_KEY: a copy of the database is not enough to sign.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.errors import TaskroomError

PREFIX = "whsec_"
KEY_BYTES = 32


class SecretUnreadable(TaskroomError):
    """The secret was encrypted with another SECRET_KEY."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(os.urandom(KEY_BYTES)).decode()


def signed(secret: str, id: str, at: int, body: bytes) -> dict[str, str]:
    """Returns the three headers."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    mac = hmac.new(key, b"%b.%d.%b" % (id.encode(), at, body), hashlib.sha256).digest()
    return {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def encrypt(secret: str, secret_key: str) -> str:
    return _fernet(secret_key).encrypt(secret.encode()).decode()


def decrypt(encrypted: str, secret_key: str) -> str:
    """Raises SecretUnreadable."""
    try:
        return _fernet(secret_key).decrypt(encrypted.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable(
            "SECRET_KEY has changed since the webhook was created; create the webhook again"
        ) from None


def _fernet(secret_key: str) -> Fernet:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"taskroom webhook secrets")
    return Fernet(base64.urlsafe_b64encode(derivation.derive(secret_key.encode())))
