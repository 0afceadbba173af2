"""Celery workers: processes that claim tasks, run jobs and report. No eventlet here."""
