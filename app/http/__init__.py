"""What all requests share: problems, JSON, request ids, rate limits, and the files of the dashboard."""
