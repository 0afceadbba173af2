"""The path of an event, in the order to read: event, store, writer, publisher, subscription, hub, room, viewer,
watched_room, delivery, catchup, tailcheck.

It knows streams, sequences and cursors, and nothing of Flask, Celery or Socket.IO.
"""
