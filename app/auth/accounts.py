"""Accounts in Postgres: local ones, identified by e-mail and changed by operators, and those of other issuers, whose
fields come from their newest token."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor
from sqlalchemy.dialects.postgresql import insert

from app.db.statements import Statement, as_text, parameters
from app.models.accounts import ApiKey, Session, Share, Tenant, User
from app.models.base import Ids
from app.models.webhooks import Webhook

if TYPE_CHECKING:
    from app.auth.issuers import TokenClaims
    from app.auth.principal import Principal


class Account(NamedTuple):
    user_id: str
    password_hash: str | None
    role: str
    tenant: str | None


class OpenedSession(NamedTuple):
    user_id: str
    is_new: bool


_LOCAL = User.email == sa.bindparam("email"), User.issuer.is_(None)
_NAME = Statement(sa.select(User.email, User.tenant).where(User.id == sa.bindparam("user")))
_NAMES = Statement(
    sa.select(*as_text(User.id), User.email, User.tenant).where(
        User.id == sa.any_(sa.bindparam("users", type_=Ids))
    )
)
_FIND = Statement(sa.select(*as_text(User.id), User.password_hash, User.role, User.tenant).where(*_LOCAL))

_new = insert(User).values(parameters("email", "password_hash", "role", "tenant"))
_keep = sa.bindparam("keep", type_=sa.Boolean)
_SAVE = Statement(
    _new.on_conflict_do_update(
        index_elements=[User.email],
        index_where=User.issuer.is_(None),
        set_={
            "password_hash": _new.excluded.password_hash,
            "role": sa.case((_keep, User.role), else_=_new.excluded.role),
            "tenant": sa.case((_keep, User.tenant), else_=_new.excluded.tenant),
            "closed_at": sa.null(),
        },
    )
)

_CLOSE = Statement(
    sa.update(User).where(*_LOCAL).values(password_hash=sa.bindparam("unknown"), closed_at=sa.func.now())
)
_DISABLE_WEBHOOKS = Statement(
    sa.update(Webhook)
    .where(Webhook.user_id == sa.select(User.id).where(*_LOCAL).scalar_subquery())
    .values(disabled_at=sa.func.coalesce(Webhook.disabled_at, sa.func.now()))
)

_REVOKE_KEYS, _REVOKE_SHARES = (
    Statement(
        sa.update(model)
        .where(model.user_id == sa.select(User.id).where(*_LOCAL).scalar_subquery())
        .where(model.revoked_at.is_(None))
        .values(revoked_at=sa.func.now())
    )
    for model in (ApiKey, Share)
)

_trial = insert(Tenant).values(parameters("name", "trial_ends_at"))
_SET_TRIAL = Statement(
    _trial.on_conflict_do_update(
        index_elements=[Tenant.name], set_={"trial_ends_at": _trial.excluded.trial_ends_at}
    )
)

_issued_at = sa.func.to_timestamp(sa.bindparam("issued_at"))
# Locks the row: a change of the account ends its sessions, and must either find this session or be read by it.
_account = (
    sa.update(User)
    .where(*(getattr(User, name) == sa.bindparam(name) for name in ("issuer", "subject", "email", "role")))
    .where(User.tenant.is_not_distinct_from(sa.bindparam("tenant")))
    .values(token_issued_at=sa.func.greatest(User.token_issued_at, _issued_at))
    .returning(User.id)
    .cte("account")
)
_session = insert(Session).from_select(
    ["id", "user_id", "expires_at"],
    sa.select(
        sa.bindparam("session_id", type_=Session.id.type),
        _account.c.id,
        sa.func.to_timestamp(sa.bindparam("expires_at")),
    ),
)
_OPEN_SESSION = Statement(
    _session.on_conflict_do_update(
        index_elements=[Session.id],
        set_={"expires_at": sa.func.greatest(Session.expires_at, _session.excluded.expires_at)},
        where=Session.revoked_at.is_(None),
        # Of a row that was there already, xmax is the transaction that locked it for the update.
    ).returning(*as_text(Session.user_id), sa.literal_column("xmax = 0"))
)

_claims = parameters("issuer", "subject", "email", "role", "tenant")
_foreign = insert(User).values(_claims | {"token_issued_at": _issued_at})
_RECORD = Statement(
    _foreign.on_conflict_do_update(
        index_elements=[User.issuer, User.subject],
        set_={name: _foreign.excluded[name] for name in ("email", "role", "tenant", "token_issued_at")},
        where=User.token_issued_at < _foreign.excluded.token_issued_at,
    )
)


def find(cur: Cursor, email: str) -> Account | None:
    """Returns the local account with that e-mail address."""
    row = _FIND.execute(cur, email=email).fetchone()
    return Account(*row) if row else None


def name_for(cur: Cursor, principal: Principal, user_id: str) -> str | None:
    """Returns the e-mail address of an account where the principal may know it: its own, those of its tenant, and with
    rights for all tenants any; else None."""
    row = _NAME.execute(cur, user=user_id).fetchone()
    if row is None:
        return None
    email, tenant = row
    return str(email) if _knows(principal, user_id, tenant) else None


def names_for(cur: Cursor, principal: Principal, user_ids: Collection[str]) -> dict[str, str]:
    """Returns the e-mail addresses of those of these accounts that the principal may know, by id, as ``name_for``
    says."""
    if principal.shared_task is not None or not user_ids:
        return {}
    rows = _NAMES.execute(cur, users=list(user_ids)).fetchall()
    return {user_id: email for user_id, email, tenant in rows if _knows(principal, user_id, tenant)}


def _knows(principal: Principal, user_id: str, tenant: str | None) -> bool:
    known = principal.is_global or principal.user_id == user_id
    return known or (tenant is not None and tenant == principal.tenant)


def save(
    cur: Cursor, email: str, password_hash: str, role: str, tenant: str | None, *, keep: bool = False
) -> None:
    """Creates or changes an account. ``keep``: an existing account keeps its role and tenant."""
    _SAVE.execute(cur, email=email, password_hash=password_hash, role=role, tenant=tenant, keep=keep)


def close(cur: Cursor, email: str, unknown: str) -> bool:
    """Gives the account the hash of a password that nobody knows, revokes its API keys and shares and disables its
    webhooks; its tasks stay. False when there is no such account."""
    if _CLOSE.execute(cur, email=email, unknown=unknown).rowcount == 0:
        return False
    _REVOKE_KEYS.execute(cur, email=email)
    _REVOKE_SHARES.execute(cur, email=email)
    _DISABLE_WEBHOOKS.execute(cur, email=email)
    return True


def set_trial(cur: Cursor, tenant: str, ends_at: datetime | None) -> None:
    _SET_TRIAL.execute(cur, name=tenant, trial_ends_at=ends_at)


def open_session(cur: Cursor, claims: TokenClaims, session_id: str) -> OpenedSession | None:
    """Creates the session of another issuer's token, or extends it. Returns None when the account differs from the
    token or the session has ended."""
    row = _OPEN_SESSION.execute(cur, **asdict(claims) | {"session_id": session_id}).fetchone()
    return OpenedSession(*row) if row else None


def record(cur: Cursor, claims: TokenClaims) -> None:
    """Creates or changes the account by the token's claims, unless a newer token was recorded."""
    _RECORD.execute(cur, **asdict(claims))
