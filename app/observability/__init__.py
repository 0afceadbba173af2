"""What operators see: metrics, logs, and what holds up the loop."""
