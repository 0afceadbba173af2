"""Who may do what: a row for each route and for each room, by what docs/auth.md says of the roles, of the scopes of API
keys, and of share tokens."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.api.access_page import rows_of

# other: an operator without a tenant, like the next two. stranger, rival: another tenant's operator and admin. From the
# owner on all share a tenant but the last, who has none.
WHO = (
    *("anonymous", "other", "tenantless_worker", "tenantless_admin", "stranger", "rival", "owner"),
    *("viewer", "operator", "worker", "admin", "global_admin"),
)
TENANTLESS, ELSEWHERE = (
    ("other", "tenantless_worker", "tenantless_admin", "global_admin"),
    ("stranger", "rival"),
)

MAY = rows_of("role")
ROLE = {
    **dict.fromkeys(("other", "stranger", "owner"), "operator"),
    "rival": "admin",
    **{f"tenantless_{role}": f"{role} without a tenant" for role in ("worker", "admin")},
}


def may(who: str, what: str, owner: str = "owner") -> bool:
    """To a task of the owner, or of ``other``, as the page says."""
    row = MAY[ROLE.get(who, who)]
    cells = [row["all tasks"]]
    if owner == "owner" and who not in (*TENANTLESS, *ELSEWHERE):
        cells.append(row["tasks of its tenant"])
    if who == owner:
        cells.append(row["own tasks"])
    return any(what in cell.split(", ") for cell in cells)


def reports(who: str, owner: str = "owner") -> bool:
    on = MAY[ROLE.get(who, who)]["reports on tasks of"]
    if owner == "other":
        return on in ("all", "all users without a tenant")
    return on == "all" or (on == "its tenant" and who not in (*TENANTLESS, *ELSEWHERE))


def administers(who: str) -> bool:
    """Whether it is an admin of a tenant."""
    return who not in TENANTLESS and "its tenant" in MAY[ROLE.get(who, who)]["webhooks for"].split(", ")


def each(answer: Callable[[str], int], anonymous: int = 401) -> tuple[int, ...]:
    return (anonymous, *(answer(who) for who in WHO[1:]))


def read(owner: str = "owner") -> tuple[int, ...]:
    return each(lambda who: 200 if may(who, "looks", owner) else 404)


def acted(done: int, owner: str = "owner") -> tuple[int, ...]:
    return each(lambda who: 404 if not may(who, "looks", owner) else done if may(who, "acts", owner) else 403)


def reported(owner: str = "owner") -> tuple[int, ...]:
    return each(lambda who: 422 if reports(who, owner) else 403 if may(who, "looks", owner) else 404)


def own(done: int, otherwise: int = 403) -> tuple[int, ...]:
    return each(lambda who: done if "starts" in MAY[ROLE.get(who, who)]["own tasks"] else otherwise)


OPEN = each(lambda who: 200, 200)
MEMBERS = each(lambda who: 200)
READERS = read()
ALL = each(lambda who: 200 if "all" in MAY[ROLE.get(who, who)]["`scope=` of lists"].split(", ") else 403)
TENANT = each(
    lambda who: (
        200
        if who not in TENANTLESS and "tenant" in MAY[ROLE.get(who, who)]["`scope=` of lists"].split(", ")
        else 403
    )
)


# A status beyond permission, so that asking changes nothing: the body is empty, or the task has ended.
START = own(422)
CANCEL = acted(409)
RETRY = acted(202)
REPORT_NEW = own(422)
REPORT = reported()
ANNOUNCE = each(lambda who: 422 if MAY[ROLE.get(who, who)]["announces"] == "yes" else 403)
OPERATE = each(lambda who: 404 if who in ("other", "tenantless_admin", "global_admin") else 403)
NOTICE = each(lambda who: 200 if who == "owner" else 404)  # each their own
HOOKS = NOTICE
ENDED = each(lambda who: 204 if may(who, "looks") else 404)


def hook_of_the_owner(done: int) -> tuple[int, ...]:
    """Who may have none at all is told so first."""
    return each(
        lambda who: (
            done if who == "owner" else 404 if "itself" in MAY[ROLE.get(who, who)]["webhooks for"] else 403
        )
    )


TABLE = {
    "GET /": OPEN,
    "GET /login": OPEN,
    "GET /runs/<uuid:task_id>": OPEN,  # the page: what it shows it has to ask for
    "GET /runs/<uuid:task_id>/compare": OPEN,
    "GET /jobs/<path:job_type>": OPEN,
    **{
        f"GET /{page}": OPEN
        for page in (
            *("workers", "trail", "jobs"),
            *("settings/keys", "settings/notifications", "settings/webhooks"),
        )
    },
    "GET /embed/runs/<uuid:task_id>": OPEN,
    "GET /favicon.svg": OPEN,
    "GET /sdk/<name>": (404,) * len(WHO),  # open; none has that name
    "GET /client/taskroom.js": OPEN,
    "GET /client/element.js": OPEN,
    "GET /assets/<path:name>": (404,) * len(WHO),
    "GET /api/docs": OPEN,
    "GET /api/openapi.json": OPEN,
    "GET /livez": OPEN,
    "GET /readyz": OPEN,
    "GET /metrics": OPEN,
    "POST /api/v2/auth/login": (422,) * len(WHO),
    "POST /api/v2/auth/refresh": (401,) * len(WHO),  # by cookie alone
    "POST /api/v2/auth/ticket": MEMBERS,
    "GET /api/v2/jobs/<path:job_type>/stats": MEMBERS,
    **{f"GET /api/v2/jobs/{path}": MEMBERS for path in ("types", "stats", "history")},
    **{f"GET /api/v2/jobs/{path}?scope=tenant": TENANT for path in ("stats", "history")},
    "POST /api/v2/agent/start": START,
    "GET /api/v2/agent/active": MEMBERS,
    "GET /api/v2/tasks": MEMBERS,
    "GET /api/v2/tasks?scope=tenant": TENANT,
    "GET /api/v2/tasks?parent_id={task_id}": MEMBERS,
    "GET /api/v2/tasks/counts": MEMBERS,
    "GET /api/v2/tasks/counts?scope=tenant": TENANT,
    "GET /api/v2/tasks/types": MEMBERS,
    "GET /api/v2/tasks/types?scope=tenant": TENANT,
    "GET /api/v2/tasks/people": MEMBERS,
    "GET /api/v2/tasks/people?scope=tenant": TENANT,
    "GET /api/v2/tasks/histogram": MEMBERS,
    "GET /api/v2/tasks/histogram?scope=tenant": TENANT,
    **{f"GET /api/v2/{path}?scope=all": ALL for path in ("jobs/history", "jobs/stats", "tasks")},
    **{f"GET /api/v2/tasks/{path}?scope=all": ALL for path in ("counts", "types", "people", "histogram")},
    "GET /api/v2/tasks/<uuid:task_id>/status": READERS,
    "GET /api/v2/tasks/<uuid:task_id>/events": READERS,
    "GET /api/v2/tasks/<uuid:task_id>/tree": READERS,
    **{
        f"GET /api/v2/tasks/<uuid:task_id>/{what}": READERS
        for what in ("throughput", "earlier", "again", "viewers", "queued", "approvals", "owner")
    },
    "GET /api/v2/tasks/<uuid:task_id>/logs": READERS,
    "GET /api/v2/tasks/<uuid:task_id>/logs/download": READERS,
    "GET /api/v2/tasks/<uuid:task_id>/logs/marks": READERS,
    "GET /api/v2/tasks/<uuid:task_id>/outputs": READERS,
    "GET /api/v2/tasks/<uuid:task_id>/outputs/<name>": each(lambda who: 404),  # none has that name
    "GET /api/v2/tasks/<uuid:task_id>/stream": READERS,
    "GET /api/v2/tasks/<uuid:task_id>/stream?since_sequence={head}": ENDED,
    "GET /api/v2/events/stream": MEMBERS,
    "GET /api/v2/notifications/stream": MEMBERS,
    "GET /api/v2/stream?rooms=user,broadcast": MEMBERS,
    "GET /api/v2/stream?rooms=user,task:{task_id}": READERS,
    "GET /api/v2/stream?rooms=task:{task_id}": READERS,
    "GET /api/v2/tasks/<uuid:task_id>/shares": READERS,
    "POST /api/v2/tasks/<uuid:task_id>/share": acted(201),
    "DELETE /api/v2/tasks/<uuid:task_id>/shares/<uuid:share_id>": each(
        lambda who: 204 if who == "owner" else 404  # of the others who may, each comes too late
    ),
    "POST /api/v2/announcements": ANNOUNCE,
    "GET /api/v2/notifications": MEMBERS,
    "GET /api/v2/notifications/unread-count": MEMBERS,
    "POST /api/v2/notifications/<uuid:notification_id>/read": NOTICE,
    "POST /api/v2/notifications/read-all": MEMBERS,
    "GET /api/v2/notifications/choices": MEMBERS,
    "PUT /api/v2/notifications/choices": each(lambda who: 422),
    "GET /api/v2/webhooks": MEMBERS,
    "POST /api/v2/webhooks": START,
    "GET /api/v2/webhooks/<uuid:webhook_id>/deliveries": HOOKS,
    "POST /api/v2/webhooks/<uuid:webhook_id>/enable": hook_of_the_owner(200),
    "GET /api/v2/trail": MEMBERS,
    "GET /api/v2/trail/export": MEMBERS,
    "POST /api/v2/webhooks/<uuid:webhook_id>/ping": hook_of_the_owner(202),
    "POST /api/v2/webhooks/<uuid:webhook_id>/disable": hook_of_the_owner(200),
    "DELETE /api/v2/webhooks/<uuid:webhook_id>": each(lambda who: 204 if who == "owner" else 404),
    "GET /api/v2/keys": MEMBERS,
    "GET /api/v2/keys?scope=tenant": each(lambda who: 200 if administers(who) else 403),
    "POST /api/v2/keys": each(lambda who: 422),
    "DELETE /api/v2/keys/<uuid:key_id>": each(lambda who: 204 if who == "owner" else 404),
    "GET /api/v1/ai/jobs/<uuid:task_id>/stream/": READERS,
    "GET /api/v1/ai/jobs/<uuid:task_id>/stream/?since_sequence={head}": ENDED,
    "GET /api/v1/notifications/stream/": MEMBERS,
    "GET /api/notifications/stream": MEMBERS,
    "GET /api/v1/events/stream": MEMBERS,
    "GET /ai/artifact/events/stream": MEMBERS,
    "POST /ai/artifact/generate": START,
    "GET /api/v1/notifications/": MEMBERS,
    "GET /api/v1/notifications/unread-count/": MEMBERS,
    "POST /api/v1/notifications/<uuid:notification_id>/read/": NOTICE,
    "POST /api/v1/notifications/read-all/": MEMBERS,
    "POST /api/v2/tasks/<uuid:task_id>/events": REPORT,
    "POST /api/v2/events": REPORT_NEW,
    "GET /api/v2/workers": MEMBERS,
    "GET /api/v2/queues": MEMBERS,
    "GET /api/v2/schedules": MEMBERS,
    **{f"{method} /api/v2/queues/<path:name>/pause": OPERATE for method in ("PUT", "DELETE")},
    **{f"{method} /api/v2/workers/<path:name>/drain": OPERATE for method in ("PUT", "DELETE")},
    "POST /api/v2/tasks/<uuid:task_id>/cancel": CANCEL,
    "POST /api/v2/tasks/<uuid:task_id>/approve": CANCEL,
    "POST /api/v2/tasks/<uuid:task_id>/reject": CANCEL,
    "POST /api/v2/tasks/<uuid:task_id>/retry": RETRY,
    "POST /api/v2/tasks/bulk": START,
    "GET /api/v2/views": MEMBERS,
    "POST /api/v2/views": each(lambda who: 422),
    "PUT /api/v2/views/<uuid:view_id>": each(lambda who: 422),
    "DELETE /api/v2/views/<uuid:view_id>": each(lambda who: 204 if who == "owner" else 404),
    "POST /api/v2/auth/logout": each(lambda who: 204),
}
# Of a task of ``other``, who has no tenant.
TENANTLESS_TASK = {
    "GET /api/v2/tasks/<uuid:task_id>/status": read("other"),
    "GET /api/v2/tasks/<uuid:task_id>/stream": read("other"),
    "POST /api/v2/tasks/<uuid:task_id>/events": reported("other"),
    "POST /api/v2/tasks/<uuid:task_id>/cancel": acted(409, "other"),
}
ROOMS = {
    "join_task": (None, *READERS[1:]),  # None: the handshake is refused
    "join_events": (None, *MEMBERS[1:]),  # each their own
    "join_notifications": (None, *MEMBERS[1:]),
    "join_broadcast": (None, *MEMBERS[1:]),
    "leave_events": (None, *MEMBERS[1:]),
    "leave_broadcast": (None, *MEMBERS[1:]),
    "leave_task": (None, *MEMBERS[1:]),  # of a room one is not in
}
TAKES_AWAY = (
    "POST /api/v2/auth/logout",
    "DELETE /api/v2/webhooks/<uuid:webhook_id>",
    "DELETE /api/v2/keys/<uuid:key_id>",
    "DELETE /api/v2/views/<uuid:view_id>",
    "DELETE /api/v2/tasks/<uuid:task_id>/shares/<uuid:share_id>",
)

CALLS = {scope: re.findall(r"`([^`]+)`", row["calls"]) for scope, row in rows_of("scope").items()}
SCOPES = tuple(scope for scope in CALLS if scope != "session")
KEY_OWNERS = ("owner", "admin")


def scope_of(row: str) -> str:
    """The scope that a key needs for the route, as the page says; "public" where nobody needs anything."""
    method, _, rule = re.sub(r"<\w+:\w+>", "<id>", row.partition("?")[0]).rstrip("/").partition(" ")
    if any(rule.startswith(f"/api/v2/{name}") for name in CALLS["session"]):
        return "session"
    if TABLE[row][0] != 401:
        return "public"
    for scope in SCOPES:
        for called, path in (call.split(" ") for call in CALLS[scope] if " " in call):
            if called == method and rule.endswith(f"/{path}"):
                return scope
    assert method in CALLS["read"], f"the page does not say which key may call {row}"
    return "read"


def with_key(row: str, owner: str, scope: str) -> int:
    """What a key of the owner with this scope alone is answered."""
    return TABLE[row][WHO.index(owner)] if scope_of(row) in ("public", scope) else 403


SHARED = frozenset(re.findall(r"`([A-Z]+ [^`]+)`", rows_of("token")["trs_"]["calls"]))


def is_shared(row: str) -> bool:
    """Whether a share token may make the call, as the page says."""
    method, _, rule = re.sub(r"<\w+:\w+>", "<id>", row.partition("?")[0]).rstrip("/").partition(" ")
    return any(
        rule in (path, f"/api/v2/{path}")
        for called, path in (call.split(" ") for call in SHARED)
        if called == method
    )


def with_share(row: str) -> int:
    """What a share token of the owner's task is answered at an address of this task."""
    if scope_of(row) == "public":
        return TABLE[row][0]
    if not is_shared(row) or row == "GET /api/v2/tasks" or "user" in row.partition("?")[2] or "scope=" in row:
        return 403
    return TABLE[row][WHO.index("owner")]


# Of rooms, to join the run's and to leave any.
SHARED_ROOMS = {event: 200 if event == "join_task" or event.startswith("leave_") else 403 for event in ROOMS}
