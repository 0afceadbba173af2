"""What users are notified of: a notification and its event, its rows, the list of them and what of it was read."""
