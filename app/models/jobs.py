"""The table of what workers have declared."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Time


class JobPackage(Base):
    """The job types of a package, and its files that cannot be used, as the last worker that started found them; a
    living worker keeps ``seen_at``. JSON and not JSONB: the order of phases and of parameters has a meaning."""

    __tablename__ = "job_packages"

    package: Mapped[str] = mapped_column(Text, primary_key=True)
    types: Mapped[Any] = mapped_column(JSON)
    broken: Mapped[Any] = mapped_column(JSON)
    declared_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
