"""Attackers, one of each kind: a process of their own, so that what they cost is not the load client's."""
