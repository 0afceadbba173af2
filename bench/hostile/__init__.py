"""Attackers, one of each kind, in a separate process: their costs must not slow the load client."""
