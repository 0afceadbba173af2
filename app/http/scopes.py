"""Each view declares the scope that an API key needs to call it, and whether a share token may, in the code and in the
OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

PUBLIC = "public"  # is declared by views that need no principal
View = Callable[..., Any]


def declared(scope: str, shared: bool = False) -> Callable[[View], View]:
    """Declares the scope of a view, and checks nothing: for views that identify the user by themselves, or not at
    all. The others are decorated with ``permitted``. ``shared``: a share token may call it too."""

    def decorator(view: View) -> View:
        apidoc = deepcopy(getattr(view, "_apidoc", {}))
        needs: list[dict[str, list[str]]] = [] if scope == PUBLIC else [{"bearer": [scope]}]
        if shared:
            needs.append({"share": []})
        apidoc["manual_doc"] = apidoc.get("manual_doc", {}) | {"security": needs}
        vars(view).update(scope=scope, shared=shared, _apidoc=apidoc)
        return view

    return decorator
