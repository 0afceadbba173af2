"""What every table is made of. Alembic compares the tables with the migrations by ``db.metadata``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Uuid
from sqlalchemy.dialects.postgresql import TIMESTAMP

db = SQLAlchemy()

if TYPE_CHECKING:
    from sqlalchemy.orm import DeclarativeBase

    Base = DeclarativeBase
else:
    Base = db.Model

Time = TIMESTAMP(timezone=True)
Id = Uuid(as_uuid=False)
