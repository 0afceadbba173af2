"""The application with Flask-Migrate, which no web process needs: for ``migrate`` and ``downgrade``, and for
``flask --app app.cli.migrations db``."""

from __future__ import annotations

from flask import Flask
from flask_migrate import Migrate

from app import factory
from app.db.extension import db


def create_app() -> Flask:
    """Composes a web process that can change its tables. Raises ConfigurationError."""
    app = factory.create_app()
    Migrate(app, db, directory="migrations")
    return app
