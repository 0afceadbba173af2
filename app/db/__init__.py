"""Postgres: connections, the circuit breaker, and SQL that several packages share."""
