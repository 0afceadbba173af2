"""What every table is made of. Alembic compares the tables with the migrations by ``Base.metadata``."""

from __future__ import annotations

from sqlalchemy import ARRAY, Uuid
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Knows no Flask: workers and commands read by the same models as web processes."""


Time = TIMESTAMP(timezone=True)
Id = Uuid(as_uuid=False)
Ids = ARRAY(Id)  # of a parameter: any of these
