"""A web process that collects no garbage, and says what there is of some classes."""

from __future__ import annotations

import gc
from collections import Counter
from typing import Any

from flask import jsonify, request


def install() -> None:
    import wsgi

    make = wsgi.create_app

    def made(config: Any) -> Any:
        app = make(config)
        app.add_url_rule("/objects", view_func=objects)
        return app

    wsgi.create_app = made
    wsgi.gc_tuning.freeze = gc.disable


def objects() -> Any:
    """The number of objects of each class that is named, without those of this request."""
    wanted = request.args.getlist("name")
    found = Counter(type(each).__name__ for each in gc.get_objects())
    return jsonify({name: found[name] - (name in ("Protocol", "Request")) for name in wanted})
