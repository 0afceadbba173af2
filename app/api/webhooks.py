"""Webhooks: URLs that get the events of the caller or of its tenant, and the log of their deliveries."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import marshmallow as ma

from app.api import limits
from app.api.cursors import PageQuery, page_response, position_of, utc
from app.api.idempotency import KeyHeaders, KeyResult, Remember, key_of, run_once
from app.auth import permissions, trail
from app.auth.principal import SESSION, Principal
from app.errors import AddressForbidden
from app.http.base import Blueprint, ListField, permitted, signed_in
from app.outgoing.url_policy import LONGEST_URL, AddressRefused, UrlPolicy
from app.services import services
from app.stream.event import EVENT_TYPE
from app.stream.transaction import Transaction
from app.webhooks import delivery_queue, subscriptions

blp = Blueprint("webhooks", __name__, description="Webhooks")

SCOPES = ("user", "tenant")
changing = permitted(SESSION, permissions.may_write)
MOST_TYPES = 50


def _type(name: str) -> None:
    if name not in subscriptions.TYPES and not ("." in name and EVENT_TYPE.match(name)):
        known = ", ".join(subscriptions.TYPES)
        raise ma.ValidationError(f"One of {known}, or a type of your own that contains a dot.")


class NewWebhook(ma.Schema):
    url = ma.fields.String(required=True, validate=ma.validate.Length(1, LONGEST_URL))
    event_types = ListField(
        ma.fields.String(validate=[_type, ma.validate.Length(1, 64)]), 1, MOST_TYPES, required=True
    )
    scope = ma.fields.String(
        load_default="user",
        validate=[ma.validate.OneOf(SCOPES), ma.validate.Length(1, 6)],
        metadata={"description": "`tenant`: of all users of the caller's tenant, for its admins"},
    )


class WebhookSchema(ma.Schema):
    id = ma.fields.String()
    url = ma.fields.String()
    event_types = ma.fields.List(ma.fields.String())
    scope = ma.fields.String(validate=ma.validate.OneOf(SCOPES))
    enabled = ma.fields.Boolean()
    failures = ma.fields.Integer(metadata={"description": "Consecutive failures until now"})
    disabled_at = ma.fields.String(allow_none=True)
    created_at = ma.fields.String()


class Created(WebhookSchema):
    secret = ma.fields.String(metadata={"description": "`whsec_…`; it is shown only once"})


class Webhooks(ma.Schema):
    webhooks = ma.fields.List(ma.fields.Nested(WebhookSchema))


class Pinged(ma.Schema):
    delivery_id = ma.fields.String()


class AttemptSchema(ma.Schema):
    number = ma.fields.Integer()
    at = ma.fields.String()
    duration_ms = ma.fields.Float()
    status_code = ma.fields.Integer(allow_none=True)
    error = ma.fields.String(allow_none=True)
    response = ma.fields.String(allow_none=True, metadata={"description": "The beginning of its body"})


class DeliverySchema(ma.Schema):
    id = ma.fields.String(metadata={"description": "The header `webhook-id`"})
    event_type = ma.fields.String()
    stream = ma.fields.String(allow_none=True)
    sequence = ma.fields.Integer(allow_none=True)
    status = ma.fields.String(validate=ma.validate.OneOf(delivery_queue.STATUSES))
    created_at = ma.fields.String()
    next_try_at = ma.fields.String(allow_none=True)
    tries = ma.fields.Integer()
    attempts = ma.fields.List(ma.fields.Nested(AttemptSchema))


class DeliveryPage(ma.Schema):
    deliveries = ma.fields.List(ma.fields.Nested(DeliverySchema))
    next = ma.fields.String(allow_none=True)


@blp.get("/webhooks")
@signed_in
@blp.response(200, Webhooks)
def listed(principal: Principal) -> Any:
    """Returns the caller's webhooks; a user has at most twenty."""
    with services().read() as conn, conn.cursor() as cur:
        return {"webhooks": subscriptions.mine(cur, principal.user_id)}


@blp.post("/webhooks")
@changing
@limits.changes
@blp.arguments(KeyHeaders, location="headers")
@blp.arguments(NewWebhook)
@blp.response(201, Created)
def create(principal: Principal, headers: dict[str, str], body: dict[str, Any]) -> Any:
    """Creates a webhook. Requests are signed by Standard Webhooks. The URL must not lead into a private network."""
    tenant = permissions.webhook_tenant(principal) if body["scope"] == "tenant" else None
    config = services().config
    try:
        UrlPolicy(config.webhook_allowed, plain_http=config.embedded).address(body["url"])
    except AddressRefused as error:
        raise AddressForbidden("The address is refused", errors={"url": [str(error)]}) from None
    key = key_of(principal, headers)

    def make(remember: Remember) -> dict[str, Any]:
        with services().transaction() as tx:
            webhook, secret = subscriptions.create(
                tx.cur, principal.user_id, body["url"], body["event_types"], tenant, config.secret_key
            )
            _record(tx, principal, "webhook_made", webhook)
            remember(tx.cur, None, webhook["id"])
        return webhook | {"secret": secret}

    def replay(result: KeyResult) -> dict[str, Any]:
        with services().transaction() as tx:
            webhook, secret = subscriptions.made(
                tx.cur, principal.user_id, result.note or "", config.secret_key
            )
        return webhook | {"secret": secret}

    return run_once(key, make, replay)


@blp.delete("/webhooks/<uuid:webhook_id>")
@signed_in
@blp.response(204)
def delete(principal: Principal, webhook_id: UUID) -> None:
    """Deletes a webhook and its deliveries; waiting ones are not sent."""
    begin = services().transaction
    with begin() as tx:
        webhook = subscriptions.disable(tx.cur, principal.user_id, str(webhook_id))
        _record(tx, principal, "webhook_removed", webhook)
    subscriptions.delete_disabled(begin, str(webhook_id))


@blp.post("/webhooks/<uuid:webhook_id>/disable")
@changing
@limits.changes
@blp.response(200, WebhookSchema)
def disable(principal: Principal, webhook_id: UUID) -> Any:
    """Disables a webhook until it is enabled again. Deliveries that wait, wait until then; later events are not
    sent."""
    with services().transaction() as tx:
        webhook = subscriptions.disable(tx.cur, principal.user_id, str(webhook_id))
        _record(tx, principal, "webhook_disabled", webhook)
    return webhook


@blp.post("/webhooks/<uuid:webhook_id>/enable")
@changing
@limits.changes
@blp.response(200, WebhookSchema)
def enable(principal: Principal, webhook_id: UUID) -> Any:
    """Enables a disabled webhook. Deliveries that waited are sent; events since it was disabled are not."""
    with services().transaction() as tx:
        webhook = subscriptions.enable(tx.cur, principal.user_id, str(webhook_id))
        _record(tx, principal, "webhook_enabled", webhook)
    return webhook


def _record(tx: Transaction, principal: Principal, action: str, webhook: dict[str, Any]) -> None:
    """Adds the deed to the trail, with the host alone: the rest of an address may be secret."""
    host = urlsplit(webhook["url"]).hostname or ""
    trail.record(tx.cur, principal, action, "webhook", webhook["id"], title=host)


@blp.post("/webhooks/<uuid:webhook_id>/ping")
@changing
@limits.changes
@blp.arguments(KeyHeaders, location="headers")
@blp.response(202, Pinged)
def ping(principal: Principal, headers: dict[str, str], webhook_id: UUID) -> dict[str, str]:
    """Sends a `ping`, for any chosen event types; the log of deliveries has the result."""
    key = key_of(principal, headers)

    def make(remember: Remember) -> dict[str, str]:
        with services().transaction() as tx:
            delivery_id = subscriptions.ping(tx.cur, principal.user_id, str(webhook_id))
            remember(tx.cur, None, delivery_id)
        return {"delivery_id": delivery_id}

    return run_once(key, make, lambda result: {"delivery_id": str(result.note)})


@blp.get("/webhooks/<uuid:webhook_id>/deliveries")
@signed_in
@blp.arguments(PageQuery, location="query")
@blp.response(200, DeliveryPage)
def log(principal: Principal, query: dict[str, Any], webhook_id: UUID) -> Any:
    """Returns the deliveries of a webhook, newest first, with all attempts; they are kept for a week."""
    before = position_of(query, utc, UUID)
    with services().read() as conn, conn.cursor() as cur:
        subscriptions.one(cur, principal.user_id, str(webhook_id))
        page, more = delivery_queue.page(cur, str(webhook_id), before, query["limit"])
    return page_response("deliveries", page, (page[-1]["created_at"], page[-1]["id"]) if more else None)
