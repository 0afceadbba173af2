"""The signature of a webhook, as the Standard Webhooks specification has it (https://www.standardwebhooks.com):

``webhook-id`` is the same at every try, ``webhook-timestamp`` is when this try was made (epoch seconds), and
``webhook-signature`` is ``v1,`` and the base64 of the HMAC-SHA256 of ``<id>.<timestamp>.<body>``. The secret is
``whsec_`` and the base64 of the key.

Secrets are kept encrypted, by a key made of SECRET_KEY: whoever has a copy of the database alone can sign nothing.
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
    """It was sealed by another SECRET_KEY."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(os.urandom(KEY_BYTES)).decode()


def signed(secret: str, id: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    mac = hmac.new(key, b"%b.%d.%b" % (id.encode(), at, body), hashlib.sha256).digest()
    return {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def seal(secret: str, secret_key: str) -> str:
    return _box(secret_key).encrypt(secret.encode()).decode()


def unseal(sealed: str, secret_key: str) -> str:
    """Raises SecretUnreadable."""
    try:
        return _box(secret_key).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable("SECRET_KEY has changed since the webhook was made; make it anew") from None


def _box(secret_key: str) -> Fernet:
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"taskroom webhook secrets")
    return Fernet(base64.urlsafe_b64encode(made.derive(secret_key.encode())))
