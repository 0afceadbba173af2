"""JSON for answers, by the encoder that events have: a page of a thousand lines must not hold up the loop."""

from __future__ import annotations

from typing import Any

import orjson
from flask.json.provider import JSONProvider


class QuickJson(JSONProvider):
    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj, option=orjson.OPT_NON_STR_KEYS).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)
