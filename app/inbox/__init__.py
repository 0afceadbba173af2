"""Notifications of users: the event of a notification, its row, the list of them and which of them are read."""
