"""The heart: event, store, writer, broker, room, hub, read in that order.

It knows streams, sequences and cursors, and nothing of Flask, Celery or Socket.IO.
"""
