"""The trail: who did what."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Identity, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Time


class TrailEntry(Base):
    """A deed, or refusals of one kind that were counted (``number``, the last at ``last_at``). It names accounts, keys
    and tasks by their ids and by the names of that time, and refers to none: it stays when they are removed.

    A bulk action has an entry of its own, and one for each other owner of runs that it changed; ``number`` counts those
    runs. Runs of another tenant than the bulk action's have an entry of their own for each owner, with that tenant. The
    deeds of a bulk action, which have the same ``bulk_id``, are entries too."""

    __tablename__ = "trail"
    __table_args__ = (
        Index("trail_by_time", "at", "id"),
        Index("trail_by_tenant", "tenant", "at", "id", postgresql_where=text("tenant IS NOT NULL")),
        Index("trail_by_user", "user_id", "at", "id", postgresql_where=text("user_id IS NOT NULL")),
        Index("trail_by_owner", "owner_id", "at", "id", postgresql_where=text("owner_id IS NOT NULL")),
        Index("trail_by_bulk", "bulk_id", "at", "id", postgresql_where=text("bulk_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    user_id: Mapped[str | None] = mapped_column(Id)  # none: an operator's command, or nobody that is known
    user_name: Mapped[str | None] = mapped_column(Text)  # the e-mail address
    key_id: Mapped[str | None] = mapped_column(Id)  # of the API key that was used
    key_name: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)  # of what it was done to
    target: Mapped[str | None] = mapped_column(Text)  # its id
    title: Mapped[str] = mapped_column(Text)  # its name
    owner_id: Mapped[str | None] = mapped_column(Id)  # whose it is, where another did it
    tenant: Mapped[str | None] = mapped_column(Text)  # of what it was done to, else of who did it
    outcome: Mapped[str] = mapped_column(Text, server_default="ok")
    note: Mapped[str] = mapped_column(Text, server_default="")
    number: Mapped[int] = mapped_column(server_default="1")
    last_at: Mapped[datetime | None] = mapped_column(Time)
    bulk_id: Mapped[str | None] = mapped_column(Id)  # the run of the bulk action that it belongs to
    refused: Mapped[int] = mapped_column(server_default="0")  # of a bulk action: runs that it may not change
