"""Saved views: filters of the list of runs, by name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Time


class SavedView(Base):
    """``filters`` are those of the list, as its address has them. ``tenant`` is the one that it is shared with."""

    __tablename__ = "saved_views"
    __table_args__ = (
        Index("saved_views_by_name", "user_id", "name", unique=True),
        Index(
            *("saved_views_by_tenant", "tenant", "created_at", "id"),
            postgresql_where=text("tenant IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, server_default=text("gen_random_uuid()"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    tenant: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    filters: Mapped[Any] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
