"""Webhooks: subscriptions to events, the queue of deliveries, and the requests that send them."""
