"""Each view declares the scope that an API key needs to call it, in the code and in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

PUBLIC = "public"  # is declared by views that need no principal
View = Callable[..., Any]


def declared(scope: str) -> Callable[[View], View]:
    """Declares the scope of a view, and checks nothing: for views that identify the user by themselves, or not at
    all. The others are decorated with ``permitted``."""

    def decorator(view: View) -> View:
        apidoc = deepcopy(getattr(view, "_apidoc", {}))
        needs = [] if scope == PUBLIC else [{"bearer": [scope]}]
        apidoc["manual_doc"] = apidoc.get("manual_doc", {}) | {"security": needs}
        vars(view).update(scope=scope, _apidoc=apidoc)
        return view

    return decorator
