"""The tree of errors. Callers of the API see only a ``Problem``; the others are for the operator or reveal a bug."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class TaskroomError(Exception):
    """Base of every error that Taskroom raises on purpose."""


class ConfigurationError(TaskroomError):
    """A setting is missing or invalid; the message is one line that says what to do."""


class Problem(TaskroomError):
    """An error response of the API, sent as ``application/problem+json`` (RFC 9457).

    ``errors`` maps a field's name to its messages; ``headers`` are added to the response, ``extensions`` to its body.
    ``refusal`` is the outcome in the access log of an error that refuses the caller; None for the other errors, which
    have no line there.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal Server Error"
    refusal: ClassVar[str | None] = None

    def __init__(
        self,
        detail: str,
        *,
        errors: Mapping[str, list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})
        self.extensions = dict(extensions or {})


class BadRequest(Problem):
    status, title = 400, "Bad Request"


class Unauthorized(Problem):
    status, title, refusal = 401, "Unauthorized", "unauthorized"


class Forbidden(Problem):
    status, title, refusal = 403, "Forbidden", "forbidden"


class NotFound(Problem):
    status, title = 404, "Not Found"


class Foreign(NotFound):
    """The object exists, and the caller may not see it: the response is that of an object that does not exist."""

    refusal = "foreign"


class Conflict(Problem):
    status, title = 409, "Conflict"


class Unprocessable(Problem):
    status, title = 422, "Unprocessable Content"


class AddressForbidden(Unprocessable):
    """The caller named an address that the server does not call."""

    refusal = "address"


class TooMany(Problem):
    status, title, refusal = 429, "Too Many Requests", "too_many"


class Unavailable(Problem):
    """A server that the request needs is unavailable; the response has ``Retry-After``, in seconds."""

    status, title = 503, "Service Unavailable"

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class Full(Unavailable):
    """The process has reached one of its limits; the client may come back."""

    refusal = "full"
