"""Notifications: what a user is to see, now and in a list until it is read."""

from app.notifications.create import create_notification

__all__ = ["create_notification"]
