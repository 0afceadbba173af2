"""Tasks: their fold, their projection, their life cycle, and their queue in Postgres."""
