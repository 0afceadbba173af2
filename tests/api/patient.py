"""What httpx has, with a limit of time for a machine that does much else: its own is five seconds."""

from __future__ import annotations

from functools import partial

import httpx

from tests.api.waits import LIMIT

get = partial(httpx.get, timeout=LIMIT)
post = partial(httpx.post, timeout=LIMIT)
request = partial(httpx.request, timeout=LIMIT)
stream = partial(httpx.stream, timeout=LIMIT)
