"""Sends messages to the broker for tasks that wait."""

from app.tasks.dispatch import Dispatcher
from workers.celery_app import length, send
from workers.registry import queue_of

dispatcher = Dispatcher(send, queue_of, length)
