"""The supervisor behind ``script/up``: embedded servers, nginx, web, worker and beat on one machine.

Imports no Flask, SQLAlchemy or eventlet: it must stay small, and up while they fall.
"""
