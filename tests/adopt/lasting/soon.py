"""The project of ``lasting``, whose lost tasks are noticed within seconds."""

from lasting import app as app

from taskroom.celery import running

running.LEASE_SECONDS = 15
