"""Alembic's entry point, run inside the application so that there is one configuration."""

from alembic import context
from flask import current_app
from sqlalchemy import text

from app.db.extension import db


def include(_object: object, name: str | None, kind: str, *_: object) -> bool:
    return not (kind == "table" and name == "alembic_version")


with db.engine.connect() as connection:
    # A migration may take longer than a request may; but it must not queue up behind a lock for ever.
    connection.execute(text("SET statement_timeout = 0"))
    connection.execute(text("SET lock_timeout = '30s'"))
    connection.execute(text("SET idle_in_transaction_session_timeout = 0"))
    connection.commit()
    arguments = current_app.extensions["migrate"].configure_args
    context.configure(connection=connection, target_metadata=db.metadata, include_object=include, **arguments)
    with context.begin_transaction():
        context.run_migrations()
