"""What the filters of a list of tasks offer: the job types and the people that its tasks have."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.auth import accounts, permissions
from app.auth.principal import Principal
from app.http.base import Blueprint, ScopeField, reading
from app.services import services
from app.tasks.task_types import task_owners, task_types

blp = Blueprint("list_choices", __name__, description="Lists of tasks")


class ChoiceQuery(ma.Schema):
    scope = ScopeField(with_all=True)


class TaskTypes(ma.Schema):
    job_types = ma.fields.List(ma.fields.String())


class Person(ma.Schema):
    user_id = ma.fields.String()
    name = ma.fields.String(
        allow_none=True, metadata={"description": "The e-mail address; null where the caller may not know"}
    )


class People(ma.Schema):
    people = ma.fields.List(ma.fields.Nested(Person))


@blp.get("/tasks/types")
@reading
@blp.arguments(ChoiceQuery, location="query")
@blp.response(200, TaskTypes)
def types(principal: Principal, query: dict[str, Any]) -> dict[str, Any]:
    """Returns the job types that the tasks of the list have, 200 at most: also those of observed tasks, which no worker
    declares. With `scope=all` those of ended runs."""
    with services().read() as conn, conn.cursor() as cur:
        return {"job_types": task_types(cur, permissions.scope_filter(principal, query["scope"]))}


@blp.get("/tasks/people")
@reading
@blp.arguments(ChoiceQuery, location="query")
@blp.response(200, People)
def people(principal: Principal, query: dict[str, Any]) -> dict[str, Any]:
    """Returns the users that the tasks of the list are of, by name: the 200 that have the most."""
    with services().read() as conn, conn.cursor() as cur:
        owners = task_owners(cur, permissions.scope_filter(principal, query["scope"]))
        names = accounts.names_for(cur, principal, owners)
    found = [{"user_id": user_id, "name": names.get(user_id)} for user_id in owners]
    return {"people": sorted(found, key=lambda person: (person["name"] is None, person["name"] or ""))}
