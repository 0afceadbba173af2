"""Observed tasks: others run them and report their events, many tasks in one batch."""
