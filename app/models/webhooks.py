"""The tables of webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Time


class Webhook(Base):
    """A webhook. ``secret`` is encrypted (app/webhooks/signing.py). ``failures`` counts since the last success."""

    __tablename__ = "webhooks"
    __table_args__ = (
        Index("webhooks_by_tenant", "tenant", postgresql_where=text("tenant IS NOT NULL")),
        Index("webhooks_by_user", "user_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, server_default=text("gen_random_uuid()"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    tenant: Mapped[str | None] = mapped_column(Text)  # of all its users; else of its owner alone
    url: Mapped[str] = mapped_column(Text)
    event_types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    failures: Mapped[int] = mapped_column(server_default="0")
    backoff_until: Mapped[datetime] = mapped_column(Time, server_default=text("'-infinity'"))
    disabled_at: Mapped[datetime | None] = mapped_column(Time)


class WebhookDelivery(Base):
    """An event for a webhook, and the log of the tries. ``due_at`` is the time of the next try, or of the end of the
    sender's lease; NULL when no try follows."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("deliveries_by_webhook", "webhook_id", "created_at", "id"),
        Index("deliveries_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index(
            "deliveries_due_by_webhook", "webhook_id", "due_at", postgresql_where=text("due_at IS NOT NULL")
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, server_default=text("gen_random_uuid()"))
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event_type: Mapped[str] = mapped_column(Text)
    stream: Mapped[str | None] = mapped_column(Text)  # none of a ping
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    payload: Mapped[str] = mapped_column(Text)  # the event's: it may be pruned before the last try
    status: Mapped[str] = mapped_column(Text, server_default="pending")
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    due_at: Mapped[datetime | None] = mapped_column(Time, server_default=func.now())
    tries: Mapped[int] = mapped_column(server_default="0")
    log: Mapped[Any] = mapped_column(JSONB, server_default=text("'[]'"))  # of each try
