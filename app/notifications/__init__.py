"""Notifying users: at once on their streams, and in a list until they have read it."""

from app.notifications.create import create_notification

__all__ = ["create_notification"]
