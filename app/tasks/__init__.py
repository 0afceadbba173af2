"""What a task is: its fold, its projection, its life cycle, and the queue that Postgres is."""
