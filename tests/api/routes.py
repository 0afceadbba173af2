"""Every call of the OpenAPI document, so that a new one cannot be forgotten by the tests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.api import patient
from tests.support.system import System

ABSENT = "00000000-0000-0000-0000-000000000000"
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Route:
    """``query`` and ``body`` map names to JSON Schemas; ``required`` fields may not lack."""

    method: str
    path: str
    query: dict[str, Any]
    body: dict[str, Any]
    required: tuple[str, ...]

    def at(self, task_id: str) -> str:
        return re.sub(r"\{\w+_id\}", ABSENT, self.path.replace("{task_id}", task_id))

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def document(system: System) -> dict[str, Any]:
    answer = patient.get(f"{system.url}/api/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def routes(system: System) -> list[Route]:
    schemas = document(system)
    return [
        _route(schemas, method, path, call)
        for path, calls in schemas["paths"].items()
        for method, call in calls.items()
        if method in METHODS
    ]


def _route(schemas: dict[str, Any], method: str, path: str, call: dict[str, Any]) -> Route:
    query = {p["name"]: p["schema"] for p in call.get("parameters", ()) if p["in"] == "query"}
    body: dict[str, Any] = {}
    if "requestBody" in call:
        reference = call["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        body = schemas["components"]["schemas"][reference.rpartition("/")[2]]
        for name, schema in body["properties"].items():
            if "type" not in schema:  # a reference to another schema
                body["properties"][name] = {"type": "object"}
    return Route(method.upper(), path, query, body.get("properties", {}), tuple(body.get("required", ())))
