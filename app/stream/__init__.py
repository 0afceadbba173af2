"""The path of an event: event, store, writer, message, publisher, subscription, room, viewer, hub, read in that order.

It knows streams, sequences and cursors, and nothing of Flask, Celery or Socket.IO.
"""
