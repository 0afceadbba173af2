from __future__ import annotations

from typing import Any

import pytest

from tests.api.answers import problem
from tests.api.schemas import faults
from tests.support.system import User


@pytest.fixture(scope="module")
def types(user: User) -> dict[str, Any]:
    return {job["job_type"]: job for job in user.get("jobs/types")["job_types"]}


def test_each_job_type_has_what_a_form_needs(types: dict[str, Any]) -> None:
    assert {"knowledge_base", "artifact", "emit_load"} <= types.keys()
    for job in types.values():
        assert job.keys() == {"job_type", "title", "description", "phases", "params", "outputs"}
        assert job["title"] and job["description"]
        assert faults(job["params"]) == []
        assert job["params"]["type"] == "object"


def test_phases_come_in_the_order_in_which_they_run(types: dict[str, Any]) -> None:
    assert types["knowledge_base"]["phases"] == [
        *("content_caching", "content_processing", "categorization", "kb_generation")
    ]


def test_schemas_tell_defaults_limits_and_choices(types: dict[str, Any]) -> None:
    knowledge, artifact = types["knowledge_base"]["params"], types["artifact"]["params"]

    limit = knowledge["properties"]["limit"]
    assert (limit["type"], limit["default"], limit["minimum"], limit["maximum"]) == (
        "integer",
        4000,
        1,
        20_000,
    )
    assert knowledge["properties"]["pattern"]["default"]
    assert "required" not in knowledge
    assert sorted(artifact["required"]) == ["artifact_type", "content"]
    assert artifact["properties"]["artifact_type"]["enum"] == ["quiz", "flashcards"]
    assert artifact["properties"]["content"]["maxLength"] == 60_000
    options = artifact["properties"]["options"]["properties"]["num_questions"]
    assert (options["default"], options["minimum"], options["maximum"]) == (5, 1, 50)


def test_what_the_schema_has_as_default_starts_and_what_it_forbids_is_refused(
    user: User, types: dict[str, Any]
) -> None:
    for name, job in types.items():
        for field, schema in job["params"]["properties"].items():
            for limit, value in (("minimum", -1), ("maximum", 1)):
                if limit in schema:
                    body = {"job_type": name, "params": {field: schema[limit] + value}}
                    problem(user.client.post("/api/v2/agent/start", json=body), 422, f"params.{field}")
    assert user.client.post("/api/v2/agent/start", json={"job_type": "test_phases"}).status_code == 202
