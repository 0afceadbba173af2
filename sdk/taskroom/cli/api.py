"""REST calls. What goes wrong is a Fault: one line that says what to do."""

from __future__ import annotations

import http.client
import json
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode

from taskroom._transport import Settings
from taskroom.cli.faults import Fault
from taskroom.cli.settings import PAGE
from taskroom.server import KEY, URL

ANSWER_SECONDS = 30.0
STREAM_SECONDS = 45.0  # without a byte; a quiet stream has one every 15 s
LARGEST = 64_000_000


class Refused(Fault):
    """The server's answer was an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status

    @property
    def is_temporary(self) -> bool:
        return self.status in (408, 425, 429) or self.status >= 500


class Unreachable(Fault):
    """There was no answer, or one that is no Taskroom's."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key is for this address."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Api:
    """Calls with the settings' key, through the proxy that urllib knows, with TLS checked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opener = urllib.request.build_opener(_NoRedirect)

    def page(self, task_id: str) -> str:
        """The address of the run's page."""
        return f"{self._settings.url}/runs/{task_id}"

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return self._json(path, query)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._json(path, {}, b"" if body is None else json.dumps(body).encode())

    def stream(self, path: str, query: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        """The response whose lines are the stream."""
        return self._open(
            path, query, None, {"Accept": "text/event-stream", **headers}, timeout=STREAM_SECONDS
        )

    def download(self, path: str) -> Any:
        """The response whose body is a file."""
        return self._open(path, {}, None, {}, timeout=ANSWER_SECONDS)

    def _json(self, path: str, query: Mapping[str, Any], body: bytes | None = None) -> dict[str, Any]:
        try:
            with self._open(path, query, body, {}, timeout=ANSWER_SECONDS) as response:
                found = json.loads(response.read(LARGEST))
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Unreachable(f"what answers at {self._settings.url} is no Taskroom; check {URL}")
        return found

    def _open(
        self,
        path: str,
        query: Mapping[str, Any],
        body: bytes | None,
        headers: Mapping[str, str],
        timeout: float,
    ) -> Any:
        given = {name: value for name, value in query.items() if value is not None}
        url = f"{self._settings.url}/api/v2/{path}" + (f"?{urlencode(given)}" if given else "")
        request = urllib.request.Request(url, body, dict(headers), method="GET" if body is None else "POST")
        request.add_header("Authorization", f"Bearer {self._settings.key}")
        request.add_header("User-Agent", "taskroom-cli")
        if body:
            request.add_header("Content-Type", "application/json")
        try:
            return self._opener.open(request, timeout=timeout)
        except HTTPError as error:
            with error:
                raise self._refused(error, path) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._unreachable(error) from None

    def _refused(self, error: HTTPError, path: str) -> Fault:
        status, why = error.code, _reason(error)
        if status == 401:
            why = f"the server refuses the key; set {KEY} to one of {self._settings.url}{PAGE}"
        elif status == 403:
            keys = f"{self._settings.url}{PAGE} makes keys with other scopes"
            why = f"the key may not do this: {why or error.reason}; {keys}"
        elif status == 429:
            after = error.headers.get("Retry-After") or "a few"
            why = f"too many requests; try again in {after} seconds"
        elif status >= 500:
            why = f"the server cannot answer now ({status} {why or error.reason}); try again later"
        elif 300 <= status < 400:
            why = f"the server sends on to {error.headers.get('Location')}; set {URL} to where it is"
        elif why is None or (status == 404 and not self._is_taskroom(path)):
            return Unreachable(
                f"there is no Taskroom at {self._settings.url} ({status}); "
                f"set {URL} to the address of its list of runs, such as https://rooms.example.org"
            )
        elif status == 404:
            why = f"{why}; the key sees what taskroom ls shows, and {URL} is {self._settings.url}"
        return Refused(status, why)

    def _is_taskroom(self, missing: str) -> bool:
        """Whether the list of runs is where that of a Taskroom is, when ``missing`` is not."""
        if missing == "tasks":
            return False
        try:
            self.get("tasks", limit=1)
        except Unreachable:
            return False
        except Fault:  # it is there, for another key or later
            pass
        return True

    def _unreachable(self, error: Exception) -> Unreachable:
        reason = error.reason if isinstance(error, URLError) else error
        why = str(getattr(reason, "strerror", None) or reason) or type(reason).__name__
        return Unreachable(f"cannot reach {self._settings.url}: {why}; check {URL}, or try again later")


def _reason(error: HTTPError) -> str | None:
    """What the server says of the error; None when that is no Taskroom's."""
    try:
        problem = json.loads(error.read(LARGEST))
        fields = problem.get("errors") or {}
        found = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in fields.items())
        return str(found or problem.get("detail") or problem["title"])
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, AttributeError):
        return None
