"""Accounts, their sessions, API keys, shares and tickets, and the keys by which a repeated request is known."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Time


class User(Base):
    """An account: with a password, or of another issuer, identified by (issuer, subject). A trigger ends its sessions
    when its role, tenant or password changes."""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_by_email", "email", unique=True, postgresql_where=text("issuer IS NULL")),
        UniqueConstraint("issuer", "subject", name="users_by_issuer"),
        Index("users_by_subject", "subject", postgresql_where=text("subject IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, server_default=text("gen_random_uuid()"))
    email: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str | None] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text, server_default="operator")
    tenant: Mapped[str | None] = mapped_column(Text)
    issuer: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)
    # When the issuer made the token that role and tenant are of.
    token_issued_at: Mapped[datetime | None] = mapped_column(Time)
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    closed_at: Mapped[datetime | None] = mapped_column(Time)  # what it has asked for is not done any more


class Tenant(Base):
    """A tenant. Accounts refer to it by its name."""

    __tablename__ = "tenants"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    trial_ends_at: Mapped[datetime | None] = mapped_column(Time)


class Session(Base):
    """A sign-in. Its tokens carry its id, so a sign-out ends all of them at once."""

    __tablename__ = "sessions"
    __table_args__ = (
        # Every web process reads the newest sign-outs every second.
        Index("sessions_revoked", "revoked_at", postgresql_where=text("revoked_at IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, server_default=text("gen_random_uuid()"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(Time)
    revoked_at: Mapped[datetime | None] = mapped_column(Time)
    refreshes: Mapped[int] = mapped_column(server_default="0")  # the number of its refresh token
    refreshed_at: Mapped[datetime | None] = mapped_column(Time)


class ApiKey(Base):
    """An API key, stored as a hash; ``prefix`` are its first characters. Its tenant is that of its owner, or any where
    the owner is a global admin: a trigger revokes it when that is no longer so."""

    __tablename__ = "api_keys"
    __table_args__ = (
        Index("api_keys_by_hash", "hash", unique=True),
        # Lists have no revoked keys.
        Index("api_keys_by_user", "user_id", "created_at", "id", postgresql_where=text("revoked_at IS NULL")),
        Index(
            *("api_keys_by_tenant", "tenant", "created_at", "id"),
            postgresql_where=text("revoked_at IS NULL AND tenant IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, server_default=text("gen_random_uuid()"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    tenant: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    expires_at: Mapped[datetime | None] = mapped_column(Time)
    last_used_at: Mapped[datetime | None] = mapped_column(Time)
    revoked_at: Mapped[datetime | None] = mapped_column(Time)


class Share(Base):
    """A token that reads one run and its children, stored as a hash. ``user_id`` made it; ``key_id`` is the API key
    that this account used for it, with which the share ends."""

    __tablename__ = "shares"
    __table_args__ = (
        Index("shares_by_hash", "hash", unique=True),
        Index("shares_by_task", "task_id", "created_at", "id"),
        Index("shares_by_user", "user_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, server_default=text("gen_random_uuid()"))
    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    key_id: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"), index=True)
    hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(Time)
    revoked_at: Mapped[datetime | None] = mapped_column(Time)


class Ticket(Base):
    """A ticket for one connection, of a session, an API key or a share, stored as a hash. Its use deletes it."""

    __tablename__ = "tickets"
    __table_args__ = (
        CheckConstraint("num_nonnulls(session_id, key_id, share_id) = 1", name="tickets_of_one"),
    )

    hash: Mapped[str] = mapped_column(Text, primary_key=True)
    session_id: Mapped[str | None] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    key_id: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime] = mapped_column(Time)
    share_id: Mapped[str | None] = mapped_column(ForeignKey("shares.id", ondelete="CASCADE"))


class IdempotencyKey(Base):
    __tablename__ = "idempotency_keys"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    body_hash: Mapped[str] = mapped_column(Text)  # of the rest of the request: its address and its body
    task_id: Mapped[str | None] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    note: Mapped[str | None] = mapped_column(Text)  # other data for the response
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
