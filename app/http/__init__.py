"""What all requests pass: errors as problem+json, JSON, request ids and rate limits; and the files of the dashboard."""
