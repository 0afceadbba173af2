"""The base of all models. Alembic compares ``Base.metadata`` with the migrations."""

from __future__ import annotations

from sqlalchemy import ARRAY, Uuid
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """The base class. It needs no Flask, so workers and commands use the same models as web processes."""


Time = TIMESTAMP(timezone=True)
Id = Uuid(as_uuid=False)
Ids = ARRAY(Id)  # of a parameter: any of these
