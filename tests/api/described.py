"""The operations of an OpenAPI document as schemathesis reads them, and what it checks of an answer. Its import takes a
second, so the test that needs this imports it when it runs."""

from __future__ import annotations

import warnings
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
METHODS = ("get", "post", "put", "patch", "delete")


def operations_of(document: dict[str, Any]) -> dict[str, Any]:
    """By method and path."""
    found = [one.ok() for one in schemathesis.openapi.from_dict(document).get_all_operations()]
    return {f"{one.method.upper()} {one.path}": one for one in found if one.method in METHODS}


def mode(negative: bool) -> Any:
    return schemathesis.GenerationMode.NEGATIVE if negative else schemathesis.GenerationMode.POSITIVE
