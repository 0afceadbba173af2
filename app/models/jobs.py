"""The table of the job types that workers declare."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Time


class JobPackage(Base):
    """The job types of a package and its broken files, declared by the worker that started last. Running workers renew
    ``seen_at``. The columns are JSON, not JSONB: the order of phases and parameters has a meaning."""

    __tablename__ = "job_packages"

    package: Mapped[str] = mapped_column(Text, primary_key=True)
    types: Mapped[Any] = mapped_column(JSON)
    broken: Mapped[Any] = mapped_column(JSON)
    declared_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
