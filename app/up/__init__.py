"""The supervisor behind ``script/up``: embedded servers, nginx, web, worker and beat on one machine.

It imports no Flask, SQLAlchemy or eventlet: it stays small, and a fault in one of them must not end it.
"""
