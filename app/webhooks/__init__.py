"""Webhooks: who is told of which events, the queue of deliveries, and the requests that carry them out."""
